"""What the drug lexicon holds: names, products, and how a written name is compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class DrugEntry:
    """One name of the lexicon.

    Attributes:
        name: as in RxNorm; lower case for generics.
        rxcui: concept id, or "".
        tty: RxNorm term type: IN, MIN, PIN (salt) or BN (brand).
        generic_of: ingredients of a brand, joined by " / ", or "".
        ndc_count: labels on the market (not how often it is prescribed).
        verified: looked up, not recalled.
        groups: RxTerms form groups, when that is all that is known.
        strengths: RxNorm strengths with forms, where the products do not give them.
        source: the formulary it is from, "" for the lexicon itself.
    """

    name: str
    rxcui: str
    tty: str
    generic_of: str
    ndc_count: int
    verified: bool
    groups: tuple[str, ...]
    strengths: str
    source: str = ""

    @property
    def is_brand(self) -> bool:
        """Whether this is a brand name."""
        return self.tty == "BN"

    @property
    def ingredients(self) -> tuple[str, ...]:
        """Ingredient names, lower case; for a brand those of its generic."""
        joined = self.generic_of if self.is_brand else self.name
        return tuple(part.lower() for part in joined.split(" / ") if part)


@dataclass(frozen=True, slots=True)
class Product:
    """One marketed clinical drug (SCD) or branded drug (SBD)."""

    rxcui: str
    tty: str
    name: str
    ingredients: str
    strength: str
    dose_form: str
    brand: str


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a drug is made in a strength and form. None: the lexicon cannot say.

    ``verified`` is False when the list behind the answer is recalled.
    """

    strength: bool | None
    form: bool | None
    verified: bool
    strengths: tuple[str, ...] = ()


def name_key(name: str) -> str:
    """Reduce a name to what identifies it: lower case, one blank, no dots, " / " between parts."""
    text = " ".join(name.lower().replace(".", " ").replace(",", " ").split())
    return re.sub(r" ?[/+&] ?", " / ", text).strip()


def name_keys(name: str) -> tuple[str, ...]:
    """Return the keys a written name may stand under: as it is, and with its salt written out."""
    key = name_key(name)
    spelled = re.sub(r"\bhcl\b", "hydrochloride", key)
    return (key,) if spelled == key else (key, spelled)


def holds_name(text: str, name: str) -> bool:
    """Whether ``name`` stands in ``text`` as whole words."""
    text = text.lower()
    at = text.find(name)
    while at >= 0:
        before = at == 0 or not text[at - 1].isalnum()
        end = at + len(name)
        if before and (end == len(text) or not text[end].isalnum()):
            return True
        at = text.find(name, at + 1)
    return False


@lru_cache(maxsize=4096)
def _without_note(drug: str) -> str:
    return drug.split(" (")[0].removesuffix(" capsule").removesuffix(" cough preparations")


_RUN = re.compile(r"[^\W_]+")


class ProductIndex:
    """Products by ingredients, brand and word; built on loading: no question pays."""

    def __init__(self, products: Iterable[Product]) -> None:
        self._by_drug: dict[str, list[Product]] = {}
        self._clinical_by_word: dict[str, list[Product]] = {}
        for product in products:
            self._by_drug.setdefault(product.ingredients.lower(), []).append(product)
            if product.brand:
                self._by_drug.setdefault("brand:" + product.brand.lower(), []).append(product)
            for word in set(_RUN.findall(product.name.lower())) if product.tty == "SCD" else ():
                self._clinical_by_word.setdefault(word, []).append(product)

    def of(self, entry: DrugEntry) -> list[Product]:
        """Return SCDs of a generic, SBDs of a brand; of a salt the SCDs that name it."""
        name = entry.name.lower()
        if entry.is_brand:
            return self._by_drug.get("brand:" + name, [])
        if entry.tty == "PIN":
            first = _RUN.search(name)
            named = self._clinical_by_word.get(first[0], []) if first else []
            return [product for product in named if holds_name(product.name, name)]
        return [product for product in self._by_drug.get(name, []) if product.tty == "SCD"]


_SCHEDULE_ORDER = ("C-II", "C-III", "C-IV", "C-V")


def schedule_among(schedules: Sequence[tuple[str, str]], entry: DrugEntry) -> str:
    """Return the strictest schedule of an entry's ingredients, or "".

    Args:
        schedules: (drug, schedule); a drug may carry a note in brackets.
        entry: the entry; a row that names all its ingredients decides for it.
    """
    ingredients = entry.ingredients
    joined = " / ".join(ingredients)
    found = []
    for drug, schedule in schedules:
        if drug == joined:
            return schedule
        bare = _without_note(drug)
        if bare in joined and any(holds_name(ingredient, bare) for ingredient in ingredients):
            found.append(schedule)
    return min(found, key=_SCHEDULE_ORDER.index) if found else ""
