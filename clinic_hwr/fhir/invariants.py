"""Invariants of R4 data types and resources that cardinalities and codes cannot say.

One function for each type, registered by its name in the R4 table; the key of the invariant in
the standard stands in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from xml.parsers import expat  # declarations, and so entities, are refused below

from .outcome import Issue
from .primitives import NPI_SYSTEM, RXNORM, UCUM, XHTML, is_ucum

Check = Callable[[dict[str, Any], str], Iterator[Issue]]
_CHECKS: dict[str, list[Check]] = {}

# R4 narrative (txt-1): basic formatting of XHTML, nothing that acts.
_TAGS = frozenset({
    "a", "abbr", "acronym", "b", "big", "blockquote", "br", "caption", "center", "cite", "code",
    "col", "colgroup", "dd", "dfn", "div", "dl", "dt", "em", "font", "h1", "h2", "h3", "h4",
    "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "q", "samp", "small", "span",
    "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u",
    "ul", "var",
})  # fmt: skip
_ATTRIBUTES = frozenset({
    "abbr", "accesskey", "align", "alt", "axis", "bgcolor", "border", "cellhalign",
    "cellpadding", "cellspacing", "cellvalign", "char", "charoff", "charset", "cite", "class",
    "colspan", "compact", "coords", "dir", "frame", "headers", "height", "href", "hreflang",
    "hspace", "id", "lang", "longdesc", "name", "nowrap", "rel", "rev", "rowspan", "rules",
    "scope", "shape", "span", "src", "start", "style", "summary", "tabindex", "title", "type",
    "valign", "value", "vspace", "width",
})  # fmt: skip


def invariant(*type_names: str) -> Callable[[Check], Check]:
    """Register a check for the objects of ``type_names``."""

    def register(check: Check) -> Check:
        for name in type_names:
            _CHECKS.setdefault(name, []).append(check)
        return check

    return register


def invariant_issues(value: dict[str, Any], type_name: str, path: str) -> Iterator[Issue]:
    """Yield what ``value`` breaks; other elements may be malformed."""
    for check in _CHECKS.get(type_name, ()):
        yield from check(value, path)


def _broken(key: str, words: str, path: str) -> Issue:
    return Issue("invariant", f"{words} ({key}).", path)


@invariant("Quantity", "Duration", "Age", "Count", "Distance")
def _quantity(value: dict[str, Any], path: str) -> Iterator[Issue]:
    if "code" in value and "system" not in value:
        yield _broken("qty-3", "A unit code needs its system", path)
    if value.get("system") == UCUM and not is_ucum(str(value.get("code", ""))):
        yield Issue("code-invalid", "This is no UCUM code.", f"{path}.code")
    amount = value.get("value")
    if isinstance(amount, int | Decimal) and amount < 0:
        yield Issue("value", "An amount cannot be less than nothing.", f"{path}.value")


@invariant("Duration")
def _duration(value: dict[str, Any], path: str) -> Iterator[Issue]:
    if "value" in value and value.get("system") != UCUM:
        yield _broken("drt-1", "A duration is in a UCUM unit of time", path)


@invariant("Coding")
def _coding(value: dict[str, Any], path: str) -> Iterator[Issue]:
    code = str(value.get("code", ""))
    if value.get("system") == RXNORM and not (code.isascii() and code.isdigit()):
        yield Issue("code-invalid", "An RxNorm code is digits only.", f"{path}.code")
    if value.get("system") == UCUM and not is_ucum(code):
        yield Issue("code-invalid", "This is no UCUM code.", f"{path}.code")


@invariant("Identifier")
def _identifier(value: dict[str, Any], path: str) -> Iterator[Issue]:
    if value.get("system") == NPI_SYSTEM and not is_npi(str(value.get("value", ""))):
        yield Issue("value", "The NPI's check digit is wrong.", f"{path}.value")


@invariant("Range")
def _range(value: dict[str, Any], path: str) -> Iterator[Issue]:
    low, high = (_amount(value.get(end)) for end in ("low", "high"))
    if low is not None and high is not None and low > high:
        yield _broken("rng-2", "The low end is above the high end", path)


@invariant("Ratio")
def _ratio(value: dict[str, Any], path: str) -> Iterator[Issue]:
    if ("numerator" in value) != ("denominator" in value):
        yield _broken("rat-1", "A ratio has both parts or neither", path)


@invariant("Period")
def _period(value: dict[str, Any], path: str) -> Iterator[Issue]:
    start, end = value.get("start"), value.get("end")
    if isinstance(start, str) and isinstance(end, str):
        shared = min(len(start), len(end), len("2026-01-01"))
        if start[:shared] > end[:shared]:
            yield _broken("per-1", "A period cannot end before it starts", path)


@invariant("ContactPoint")
def _contact_point(value: dict[str, Any], path: str) -> Iterator[Issue]:
    if "value" in value and "system" not in value:
        yield _broken("cpt-2", "A contact needs to say what it is", path)


@invariant("Attachment")
def _attachment(value: dict[str, Any], path: str) -> Iterator[Issue]:
    if "data" in value and "contentType" not in value:
        yield _broken("att-1", "Data needs a content type", path)


@invariant("Extension")
def _extension(value: dict[str, Any], path: str) -> Iterator[Issue]:
    has_value = any(key.startswith(("value", "_value")) for key in value)
    if has_value == ("extension" in value):
        yield _broken("ext-1", "An extension has a value or extensions", path)


@invariant("Reference")
def _reference(value: dict[str, Any], path: str) -> Iterator[Issue]:
    if not {"reference", "identifier", "display", "extension"} & value.keys():
        yield Issue("structure", "A reference that names nothing.", path)


@invariant("Dosage")
def _dosage(value: dict[str, Any], path: str) -> Iterator[Issue]:
    if not value.keys() - {"id", "sequence"}:
        yield Issue("structure", "Directions that say nothing.", path)


@invariant("Timing.repeat")
def _repeat(value: dict[str, Any], path: str) -> Iterator[Issue]:
    pairs = (
        ("duration", "durationUnit", "tim-1", "A duration needs a unit"),
        ("period", "periodUnit", "tim-2", "A period needs a unit"),
        ("periodMax", "period", "tim-6", "periodMax needs a period"),
        ("durationMax", "duration", "tim-7", "durationMax needs a duration"),
        ("countMax", "count", "tim-8", "countMax needs a count"),
        ("offset", "when", "tim-9", "An offset needs an event"),
    )
    for holder, needed, key, words in pairs:
        if holder in value and needed not in value:
            yield _broken(key, words, path)
    for name, key in (("duration", "tim-4"), ("period", "tim-5")):
        amount = value.get(name)
        if isinstance(amount, int | Decimal) and amount < 0:
            yield _broken(key, "A span cannot be less than nothing", path)
    if "timeOfDay" in value and "when" in value:
        yield _broken("tim-10", "A time of day excludes an event", path)
    if set(map(str, value.get("when", []) or [])) & {"C", "CM", "CD", "CV"} and "offset" in value:
        yield _broken("tim-9", "An offset needs an event that is no meal", path)


@invariant("Narrative")
def _narrative(value: dict[str, Any], path: str) -> Iterator[Issue]:
    problem = narrative_problem(str(value.get("div", "")))
    if problem:
        yield Issue("structure", problem, f"{path}.div")


@invariant("Patient.contact")
def _patient_contact(value: dict[str, Any], path: str) -> Iterator[Issue]:
    if not {"name", "telecom", "address", "organization"} & value.keys():
        yield _broken("pat-1", "A contact needs a name, an address or an organization", path)


@invariant("Organization")
def _organization(value: dict[str, Any], path: str) -> Iterator[Issue]:
    if not {"identifier", "name", "_name"} & value.keys():
        yield _broken("org-1", "An organization needs a name or an identifier", path)


@invariant("Composition.section")
def _section(value: dict[str, Any], path: str) -> Iterator[Issue]:
    if not {"text", "entry", "section"} & value.keys():
        yield _broken("cmp-1", "A section has text, entries or sections", path)
    if "emptyReason" in value and "entry" in value:
        yield _broken("cmp-2", "A section has entries or says why not", path)


@invariant("List")
def _list(value: dict[str, Any], path: str) -> Iterator[Issue]:
    if "emptyReason" in value and "entry" in value:
        yield _broken("lst-1", "A list is empty for a reason or has entries", path)


@invariant("Provenance.agent")
def _provenance_agent(value: dict[str, Any], path: str) -> Iterator[Issue]:
    who, behalf = value.get("who"), value.get("onBehalfOf")
    if isinstance(who, dict) and "reference" in who and who == behalf:
        yield _broken("prov-1", "Nobody acts on behalf of themselves", path)


@invariant("Task")
def _task(value: dict[str, Any], path: str) -> Iterator[Issue]:
    modified, authored = value.get("lastModified"), value.get("authoredOn")
    if isinstance(modified, str) and isinstance(authored, str) and modified[:10] < authored[:10]:
        yield _broken("inv-1", "A task cannot be modified before it was authored", path)


def narrative_problem(division: str) -> str:
    """Return why ``division`` is no narrative (txt-1, txt-2), "" when it is one."""
    parser = expat.ParserCreate(namespace_separator=" ")
    names: list[str] = []
    said: list[str] = []
    bad: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        names.append(name)
        space, _, tag = name.rpartition(" ")
        if space != XHTML or tag not in _TAGS or attributes.keys() - _ATTRIBUTES:
            bad.append(tag)
        if any(link.strip().lower().startswith(("javascript:", "data:", "vbscript:"))
               for key, link in attributes.items() if key in ("href", "src")):  # fmt: skip
            bad.append(tag)
        if tag == "img":
            said.append(tag)

    def doctype(*_: Any) -> None:
        raise ValueError("A narrative declares nothing.")  # before any entity is expanded

    parser.StartElementHandler = start
    parser.CharacterDataHandler = lambda text: said.append(text.strip())
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(division, True)
    except (expat.ExpatError, ValueError):
        return "The narrative is not well-formed XHTML."
    if names[0] != f"{XHTML} div" or bad:
        return "The narrative must be one XHTML div of basic formatting (txt-1)."
    return "" if any(said) else "The narrative says nothing (txt-2)."


def is_npi(number: str) -> bool:
    """Tell whether ``number`` is a National Provider Identifier (ten digits, Luhn over 80840)."""
    if len(number) != 10 or not (number.isascii() and number.isdigit()):
        return False
    total = 0
    for position, digit in enumerate(reversed("80840" + number)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _amount(value: Any) -> Decimal | None:
    amount = value.get("value") if isinstance(value, dict) else None
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        return None
    return Decimal(amount)
