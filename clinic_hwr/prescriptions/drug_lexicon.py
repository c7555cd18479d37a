"""The drug lexicon: names, codes, strengths, schedules and neighbours, and matching against it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from clinic_hwr.prescriptions.forms import form_fits, groups_fit, route_fits
from clinic_hwr.prescriptions.ink import ink_distance
from clinic_hwr.prescriptions.lexicon_entries import (
    Availability,
    DrugEntry,
    Product,
    ProductIndex,
    holds_name,
    name_key,
    name_keys,
    schedule_among,
)
from clinic_hwr.prescriptions.strengths import (
    MadeStrength,
    is_made,
    is_part_of,
    parse_made,
    split_form,
)
from clinic_hwr.prescriptions.types import DrugMatch, Strength

# Below this similarity a name shares too little with the ink to be worth showing; a short name
# loses more of it with each letter.
_MIN_SIMILARITY = 0.6
_MIN_SIMILARITY_SHORT = 0.5
_SHORT = 5
_SHORTLIST = 25
# Every name of the lexicon has more letters than this share of its characters.
_LETTERS_SHARE = 0.3

# Names this much less similar than the nearest are not looked at by letters.
_WORTH_A_LOOK = 0.25
_EDITS_BEHIND = 4
# Combinations are long enough to be told apart by the number of edits alone, and slow to compare.
_LONG = 24

# A reading's share of the n-best counts less than how well the letters fit: half the probability
# weighs about as much as one wrong letter in ten.
_SHARE_POWER = 0.15

# A drug that is not made in the written strength (or form) is less likely to be the one meant.
_STRENGTH_MISS = 0.88
_FORM_MISS = 0.95
_ROUTE_MISS = 0.95

_NOTHING: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Scored:
    exact: bool
    score: float
    written: str
    entry: DrugEntry
    why: tuple[str, ...]


def _nearness(similarity: float, rank: int) -> str:
    which = "the first reading" if rank == 0 else f"reading {rank + 1}"
    if similarity >= 1.0:
        return f"{which} letter by letter"
    return f"near {which} (similarity {similarity:.2f})"


class DrugLexicon:
    """Names, products and safety lists; immutable after loading."""

    def __init__(
        self,
        entries: Sequence[DrugEntry],
        products: Sequence[Product],
        *,
        synonyms: Iterable[tuple[str, str, bool]] = (),
        recalled_strengths: Iterable[tuple[str, str]] = (),
        lookalikes: Iterable[tuple[str, str]] = (),
        tallman: Iterable[tuple[str, str]] = (),
        schedules: Iterable[tuple[str, str]] = (),
        high_alert: Iterable[tuple[str, str]] = (),
        codes: Iterable[tuple[str, str, Sequence[str]]] = (),
    ) -> None:
        self._by_key: dict[str, DrugEntry] = {}
        for entry in sorted(entries, key=lambda e: (-e.ndc_count, e.is_brand)):
            self._by_key.setdefault(name_key(entry.name), entry)
        self.error_prone_names: frozenset[str] = frozenset(
            written for written, _, error_prone in synonyms if error_prone
        )
        self._recalled_keys: set[str] = set()
        for written, target, _ in synonyms:
            known = self._by_key.get(name_key(target))
            if known is not None and self._by_key.setdefault(name_key(written), known) is known:
                self._recalled_keys.add(name_key(written))
        self._product_index = ProductIndex(products)
        self._recalled_strengths = dict(recalled_strengths)
        self._tallman = {name.lower(): tall for name, tall in tallman}
        self._schedules = [(drug.lower(), schedule) for schedule, drug in schedules]
        self._high_alert = tuple(high_alert)
        self._codes: dict[str, list[tuple[str, Sequence[str]]]] = {}
        for name, group, rxcuis in codes:
            self._codes.setdefault(name_key(name), []).append((group, rxcuis))
        self._lookalikes: dict[str, set[str]] = {}
        for a, b in lookalikes:
            self._lookalikes.setdefault(a.lower(), set()).add(b.lower())
            self._lookalikes.setdefault(b.lower(), set()).add(a.lower())
        self._keys = tuple(self._by_key)
        self._longest_key = max((len(key) for key in self._keys), default=0)
        self.names: tuple[str, ...] = tuple(
            sorted(
                {entry.name for entry in self._by_key.values()} | {w for w, _, _ in synonyms},
                key=str.lower,
            )
        )

    def find(self, name: str) -> DrugEntry | None:
        """Return the entry whose name is written exactly so (case, dots, separators aside)."""
        for key in name_keys(name):
            entry = self._by_key.get(key)
            if entry is not None:
                return entry
        return self._find_combination(name)

    def _find_combination(self, name: str) -> DrugEntry | None:
        """Find a combination whose parts are written in any order or by short names."""
        parts = [part.strip() for part in re.split(r"\s*(?:/|\+|&|-|\band\b)\s*", name.lower())]
        if len(parts) < 2 or not all(parts):
            return None
        ingredients: list[str] = []
        for part in parts:
            entry = self._by_key.get(name_key(part))
            if entry is None or entry.is_brand:
                return None
            ingredients.extend(entry.ingredients)
        return self._by_key.get(name_key(" / ".join(sorted(ingredients))))

    def match_exact(self, name: str) -> DrugMatch | None:
        """Return the match of a name that stands in the lexicon, score 1.0, or None."""
        entry = self.find(name)
        return self._drug_match(name, entry, 1.0) if entry else None

    def match(
        self,
        readings: Sequence[tuple[str, float]],
        *,
        strength: Strength | None = None,
        form: str | None = None,
        release: str = "",
        route: str | None = None,
        limit: int = 5,
    ) -> tuple[DrugMatch, ...]:
        """Rank lexicon entries for the n-best readings of one drug name.

        Args:
            readings: (name as read, probability 0..1), best first.
            strength: the written strength; a drug not made in it loses score.
            form: form name from ``forms.BY_NAME``.
            release: "Extended Release", "Delayed Release" or "".
            route: SNOMED CT code of the route; a drug in no form for it loses score.
            limit: most entries to return.

        Returns:
            Best first. A name that the first reading holds letter by letter stands before all;
            then the score decides, then the number of labels on the market. The score is a
            similarity (0..1), 1.0 only for the first reading letter by letter; no probability.
            ``why`` tells in words what spoke for and against each.
        """
        usable = [(text, p) for text, p in readings if name_key(text)]
        if not usable:
            return ()
        top_share = max(max(p for _, p in usable), 1e-9)
        best: dict[str, _Scored] = {}
        for rank, (text, p) in enumerate(usable):
            weight = max(p / top_share, 1e-6) ** _SHARE_POWER
            for entry, similarity in self._similar(text):
                score, why = similarity * weight, _NOTHING
                if similarity < 1.0 or strength is not None or form is not None:
                    factor, why = self._fit(entry, strength, form, release, route)
                    score *= factor
                exact = rank == 0 and similarity >= 1.0
                found = _Scored(exact, score, text, entry, (_nearness(similarity, rank), *why))
                known = best.get(entry.name)
                if known is None or (exact, score) > (known.exact, known.score):
                    best[entry.name] = found
        ranked = sorted(best.values(), key=lambda c: (not c.exact, -c.score, -c.entry.ndc_count))
        return tuple(self._drug_match(c.written, c.entry, c.score, c.why) for c in ranked[:limit])

    @lru_cache(maxsize=64)  # noqa: B019 - the lexicon lives as long as the process
    def _keys_about(self, length: int, cutoff: float) -> tuple[str, ...]:
        """Names whose length alone lets them be so similar to a text of ``length`` letters."""
        shortest, longest = length * cutoff - 1, length / cutoff + 1
        return tuple(key for key in self._keys if shortest <= len(key) <= longest)

    @lru_cache(maxsize=1024)  # noqa: B019 - the lexicon lives as long as the process
    def _similar(self, text: str) -> list[tuple[DrugEntry, float]]:
        """Entries near one reading with their ink-aware similarity 0..1; exact ones have 1.0."""
        exact = self.find(text)
        found: dict[str, tuple[DrugEntry, float]] = {}
        for key in name_keys(text):
            letters = sum(char.isalpha() for char in key)
            if len(key) > self._longest_key * 1.5 or letters < _LETTERS_SHARE * len(key):
                continue  # no drug name; keeps hostile input cheap
            cutoff = _MIN_SIMILARITY_SHORT if len(key) <= _SHORT else _MIN_SIMILARITY
            hits = process.extract(
                key,
                self._keys_about(len(key), cutoff),
                scorer=OSA.normalized_similarity,
                limit=_SHORTLIST,
                score_cutoff=cutoff,
            )
            # So many edits more than the nearest no confusion makes up for, in a long name.
            look = min(_WORTH_A_LOOK, _EDITS_BEHIND / len(key))
            nearest = hits[0][1] if hits else 0.0
            for hit, similarity, _ in hits:
                entry = self._by_key[hit]
                # The confusions of the reader decide between names about equally near.
                if nearest - similarity <= look and exact is None and len(hit) <= _LONG:
                    longest = max(len(hit), len(key))
                    similarity = 1.0 - ink_distance(hit, key) / longest
                value = min(similarity, 0.99)
                if entry.name not in found or value > found[entry.name][1]:
                    found[entry.name] = (entry, value)
        if exact is not None:
            found[exact.name] = (exact, 1.0)
        return list(found.values())

    def _fit(
        self,
        entry: DrugEntry,
        strength: Strength | None,
        form: str | None,
        release: str,
        route: str | None,
    ) -> tuple[float, tuple[str, ...]]:
        """Return what strength, form and route leave of the score, and why."""
        if strength is None and form is None and route is None:
            return 1.0, ()
        made = self.availability(entry, strength=strength, form=form, release=release)
        factor = 1.0
        why = []
        if strength is not None and made.strength is not None:
            why.append(f"{'made' if made.strength else 'not known'} in {strength.text}")
            factor *= 1.0 if made.strength else _STRENGTH_MISS
        if form is not None and made.form is not None:
            why.append(f"{'made' if made.form else 'not known'} as {form}")
            factor *= 1.0 if made.form else _FORM_MISS
        by_route = self.has_route(entry, route) if route else None
        if by_route is not None:
            why.append("made for this route" if by_route else "in no form for this route")
            factor *= 1.0 if by_route else _ROUTE_MISS
        return factor, tuple(why)

    def has_route(self, entry: DrugEntry, route: str) -> bool | None:
        """Whether some form of the drug is given by a route (SNOMED CT); None when unknown."""
        known = [route_fits(route, form) for _, form, _ in self._made(entry)[0]]
        said = [fits for fits in known if fits is not None]
        return any(said) if said else None

    def _drug_match(
        self, written: str, entry: DrugEntry, score: float, why: tuple[str, ...] = ()
    ) -> DrugMatch:
        recalled = any(key in self._recalled_keys for key in name_keys(written))
        if entry.source:
            why = (*why, f"from {entry.source}")
        return DrugMatch(
            written=written,
            name=entry.name,
            rxcui=entry.rxcui or None,
            is_brand=entry.is_brand,
            generic_of=entry.generic_of,
            score=round(min(score, 1.0), 4),
            verified=entry.verified and bool(entry.rxcui) and not recalled,
            tallman=self._tallman.get(entry.name.lower(), ""),
            schedule=self.schedule_of(entry),
            tty=entry.tty,
            why=why,
        )

    def entry(self, match: DrugMatch) -> DrugEntry:
        """Return the entry behind a match made by this lexicon."""
        return self._by_key[name_key(match.name)]

    def products_of(self, entry: DrugEntry) -> list[Product]:
        """Return SCDs of a generic, SBDs of a brand; of a salt the SCDs that name it."""
        return self._product_index.of(entry)

    @lru_cache(maxsize=4096)  # noqa: B019 - the lexicon lives as long as the process
    def _made(self, entry: DrugEntry) -> tuple[tuple[tuple[str, str, MadeStrength], ...], bool]:
        """(strength text, dose form, parsed) of everything made, and whether it was looked up."""
        rows: list[tuple[str, str]] = []
        verified = True
        if entry.strengths:
            rows = [split_form(text) for text in entry.strengths.split("; ")]
        else:
            rows = [(p.strength, p.dose_form) for p in self.products_of(entry)]
        recalled = self._recalled_strengths.get("/".join(entry.ingredients), "")
        if not rows and recalled:
            rows = [split_form(text) for text in recalled.split("; ")]
            verified = False
        parsed = [(strength, form, parse_made(strength)) for strength, form in rows]
        return tuple((s, f, made) for s, f, made in parsed if made is not None), verified

    def availability(
        self,
        entry: DrugEntry,
        *,
        strength: Strength | None,
        form: str | None,
        release: str = "",
    ) -> Availability:
        """Tell whether the drug is made in this strength and form; None where it cannot tell."""
        made, verified = self._made(entry)
        strengths = tuple(dict.fromkeys(f"{s} {f}".strip() for s, f, _ in made))
        if not made:
            fits = groups_fit(entry.groups, form) if form else None
            return Availability(None, fits, entry.verified)
        in_strength = made
        strength_ok: bool | None = None
        if strength is not None:
            in_strength = tuple(
                row for row in made if is_made(strength, row[2]) or is_part_of(strength, row[2])
            )
            strength_ok = bool(in_strength)
        form_ok: bool | None = None
        if form or release:
            pool = in_strength or made
            form_ok = any(form_fits(form or "", release, row[1]) for row in pool)
        return Availability(strength_ok, form_ok, verified, strengths)

    def product(
        self, entry: DrugEntry, *, strength: Strength | None, form: str | None, release: str = ""
    ) -> Product | None:
        """Return the product that name, strength and form name; None when not exactly one."""
        if strength is None or not strength.unit or not form:
            return None
        hits = self.products_for(entry, strength=strength, form=form, release=release)
        return hits[0] if len(hits) == 1 else None

    def products_for(
        self, entry: DrugEntry, *, strength: Strength | None, form: str | None, release: str = ""
    ) -> list[Product]:
        """Return every product that what is written can mean, the plain tablet alone before all."""
        hits = []
        for product in self.products_of(entry):
            made = parse_made(product.strength)
            if strength is not None and (made is None or not is_made(strength, made)):
                continue
            if form_fits(form or "", release, product.dose_form):
                hits.append(product)
        plain = [p for p in hits if form == "tablet" and p.dose_form == "Oral Tablet"]
        return plain or hits

    def codes_of(self, entry: DrugEntry, form: str | None) -> tuple[tuple[str, str], ...]:
        """Return (RxCUI, form group) of product codes whose strengths this lexicon lacks.

        Those of the form groups that a form may belong to; all when no form is written.
        """
        groups = self._codes.get(name_key(entry.name), [])
        fitting = [g for g in groups if form is None or groups_fit((g[0],), form)]
        return tuple((code, group) for group, codes in fitting for code in codes)

    def pieces_mg(self, entry: DrugEntry, forms: Sequence[str]) -> tuple[Decimal, ...]:
        """Return the strengths in mg of what is made with one ingredient in any of ``forms``."""
        found = {
            made.amounts[0][0]
            for _, form, made in self._made(entry)[0]
            if len(made.amounts) == 1
            and made.amounts[0][1:] == ("mg", "")
            and any(word in form for word in forms)
        }
        return tuple(sorted(found))

    def lookalikes_of(self, name: str) -> frozenset[str]:
        """Return the listed look-alike or sound-alike names, lower case."""
        return frozenset(self._lookalikes.get(name.lower(), ()))

    def schedule_of(self, entry: DrugEntry) -> str:
        """Return the DEA schedule ("C-II" ... "C-V") or "". Recalled list: a warning, no ruling."""
        return schedule_among(self._schedules, entry)

    def high_alert_class(self, entry: DrugEntry) -> str:
        """Return the high-alert class of a drug, or ""."""
        ingredients = entry.ingredients
        for name, alert in self._high_alert:
            if any(holds_name(ingredient, name) for ingredient in ingredients):
                return alert
        return ""
