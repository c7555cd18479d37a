"""``manage.py interpret``: what written directions or a drug line mean, as JSON."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic_hwr.fhir.encoding import to_bytes
from clinic_hwr.fhir.resources.dosage import dosage_instructions
from clinic_hwr.prescriptions.formulary import FormularyError
from clinic_hwr.prescriptions.questions import (
    COUNTRIES,
    drug_question,
    sig_question,
)
from clinic_hwr.routing.lexicons import site_lexicon

# A line of input longer than this is no question.
_LONGEST_LINE = 1_000_000
_TIGHT = (",", ":")
_TEXT_KEYS = ("sig", "drug", "strength", "form", "route", "country")


class BadLine(ValueError):
    """A line of input cannot be answered; the message says what to change."""


class Command(BaseCommand):
    """Interpret one sig, one drug line, or one JSON object a line."""

    help = (
        "Structure directions as FHIR R4 Dosage (--sig), rank what a drug line may mean (--drug), "
        "or answer one JSON object a line from standard input (--jsonl)."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--sig", metavar="TEXT", help="directions")
        what.add_argument("--drug", metavar="TEXT", help="a drug line")
        what.add_argument("--jsonl", action="store_true", help="one object a line from stdin")
        parser.add_argument("--form", help="dose form: tablet, eye drops, Oral Suspension ...")
        parser.add_argument("--route", help="route: oral, PO, ophthalmic, or a SNOMED CT code")
        parser.add_argument("--strength", help="strength written elsewhere (with --drug)")
        parser.add_argument("--country", help=f"one of {', '.join(COUNTRIES)}")
        parser.add_argument("--site", default="", help="slug of the site whose formulary counts")

    def handle(self, *args: Any, **options: Any) -> None:
        """Answer on standard output."""
        self.site = str(options["site"])
        if options["jsonl"]:
            defaults = {key: options[key] for key in ("form", "route", "country") if options[key]}
            self._warm_up()
            stream: IO[bytes] = getattr(sys.stdin, "buffer", sys.stdin)  # type: ignore[assignment]
            for line in _lines(stream):
                self.stdout.write(self._answer_line(line, defaults))
                self.stdout.flush()
            return
        question = {key: options[key] for key in _TEXT_KEYS if options.get(key) is not None}
        try:
            self.stdout.write(_json(self._answer(question)))
        except (FormularyError, FileNotFoundError) as error:
            raise CommandError(str(error)) from error

    def _warm_up(self) -> None:
        """Build grammar and lexicon before the first line, so that no line waits for them."""
        try:
            self._answer({"sig": "1 tab bid"})
            self._answer({"drug": "aspirin"})
        except (FormularyError, FileNotFoundError):
            return  # every line that needs it says so
        # The lexicon stays: looking through it for garbage takes a tenth of a second each time.
        gc.collect()
        gc.freeze()

    def _answer_line(self, line: bytes | str, defaults: dict[str, str]) -> str:
        """Answer one line; whatever is wrong with it is the answer, and the rest goes on."""
        try:
            return _json(self._answer(defaults | _question(line)))
        except (BadLine, FormularyError, FileNotFoundError) as error:
            return _json({"error": str(error)})
        except Exception as error:  # a fault of ours must not take the other lines with it
            return _json({"error": f"This line could not be interpreted ({type(error).__name__})."})

    def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        if "sig" in question:
            return sig_answer(question)
        return drug_answer(question, self.site)


def sig_answer(question: dict[str, Any]) -> dict[str, Any]:
    """Return dosage, plain text, leftover and warnings of ``question["sig"]``."""
    sig = sig_question(
        question["sig"],
        form=question.get("form"),
        route=question.get("route"),
        country=question.get("country"),
    )
    return {
        "dosage": dosage_instructions(sig),
        "plain_text": sig.plain_language,
        "leftover": list(sig.leftover),
        "warnings": list(sig.warnings),
    }


def drug_answer(question: dict[str, Any], site: str) -> dict[str, Any]:
    """Return the candidates of ``question["drug"]``, the product codes and what to check."""
    answer = drug_question(
        question["drug"],
        strength=question.get("strength"),
        form=question.get("form"),
        route=question.get("route"),
        readings=question.get("readings", ()),
        lexicon=site_lexicon(site),
        country=question.get("country"),
    )
    products: list[dict[str, Any]] = [
        {
            "name": product.name,
            "rxcui": product.rxcui,
            "tty": product.tty,
            "strength": product.strength,
            "form": product.dose_form,
        }
        for product in answer.products
    ]
    products += [
        {"name": f"{group}, strength unknown", "rxcui": code, "tty": None, "strength": None,
         "form": group}
        for code, group in answer.codes
    ]  # fmt: skip
    return {
        "candidates": [
            {
                "name": match.name,
                "rxcui": match.rxcui,
                "tty": match.tty,
                "score": match.score,
                "why": list(match.why),
                "tallman": match.tallman or match.name,
                "generic_of": match.generic_of,
                "verified": match.verified,
            }
            for match in answer.candidates
        ],
        "product": products[0] if len(answer.products) == 1 else None,
        "products": products[:20],
        "warnings": [*answer.doubts, *(blocker.message for blocker in answer.blockers)],
        "blockers": [blocker.code for blocker in answer.blockers],
    }


def _lines(stream: IO[Any]) -> Iterator[bytes | str]:
    """Yield the lines of a stream; what is longer than a question is cut and not answered."""
    while True:
        line = stream.readline(_LONGEST_LINE)
        if not line:
            return
        newline: Any = b"\n" if isinstance(line, bytes) else "\n"
        rest = line
        while len(rest) == _LONGEST_LINE and not rest.endswith(newline):
            rest = stream.readline(_LONGEST_LINE)
        yield line


def _question(line: bytes | str) -> dict[str, Any]:
    """Read one line of input.

    Raises:
        BadLine: it is no JSON object with a "sig" or a "drug" as text.
    """
    try:
        text = line.decode("utf-8") if isinstance(line, bytes) else line
        found = json.loads(text)
    except UnicodeDecodeError as error:
        raise BadLine("The line is not UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise BadLine(f"The line is not JSON: {type(error).__name__}.") from error
    if not isinstance(found, dict):
        raise BadLine('The line must be an object such as {"sig": "1 tab bid"}.')
    if ("sig" in found) == ("drug" in found):
        raise BadLine('The object needs either "sig" or "drug".')
    asked: dict[str, Any] = {}
    for key in _TEXT_KEYS:
        if key not in found or (found[key] is None and key not in {"sig", "drug"}):
            continue
        value = found[key]
        if not isinstance(value, str):
            raise BadLine(f'"{key}" must be text.')
        asked[key] = value
    asked["readings"] = _readings(found.get("readings", []))
    return asked


def _readings(value: Any) -> tuple[tuple[str, float], ...]:
    """Read the other readings of a drug line: [[text, probability], ...] or [text, ...]."""
    wrong = BadLine('"readings" must be a list of texts, or of [text, probability].')
    if not isinstance(value, list):
        raise wrong
    readings = []
    for item in value:
        text, share = (item, 0.5) if isinstance(item, str) else _pair(item, wrong)
        readings.append((text, share))
    return tuple(readings)


def _pair(item: Any, wrong: BadLine) -> tuple[str, float]:
    if not isinstance(item, list) or len(item) != 2 or not isinstance(item[0], str):
        raise wrong
    share = item[1]
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise wrong
    return item[0], float(share)


def _json(answer: dict[str, Any]) -> str:
    """Write an answer on one line; decimals of the dosage keep the digits of the paper."""
    members = []
    for key, value in answer.items():
        shown = (
            to_bytes(value).decode() if key == "dosage" else json.dumps(value, separators=_TIGHT)
        )
        members.append(f"{json.dumps(key)}:{shown}")
    return "{" + ",".join(members) + "}"
