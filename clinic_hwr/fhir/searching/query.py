"""What a search asks for: its parameters, sorted into filters and wishes about results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from ..served import SERVED, Parameter
from ..summaries import SUMMARIES, Part

DEFAULT_COUNT = 50
MAX_COUNT = 200
CURSOR = "_cursor"  # our own: where a page begins
POSTED = "_search"  # our own: the stored parameters of a search sent by POST
_CONTROL = frozenset({"_format", "_pretty", POSTED})
_SORTABLE = frozenset({"token", "date"})
_MODIFIERS = {
    "token": frozenset({"not", "missing"}),
    "string": frozenset({"exact", "contains", "missing"}),
    "date": frozenset({"missing"}),
    "reference": frozenset({"missing"}),
}


class BadSearch(ValueError):
    """A search that cannot be answered as asked; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One parameter that narrows the search.

    Attributes:
        parameter: what it looks at.
        modifier: "" or what stands after the colon.
        chain: of ``patient.identifier``: the parameter of the target, "" for none.
        value: as sent, with its commas.
    """

    parameter: Parameter
    modifier: str
    chain: str
    value: str


@dataclass(frozen=True, slots=True)
class Include:
    """One ``_include`` or ``_revinclude``: ``Source:parameter[:Target]``; parameter "*" for all."""

    source: str
    parameter: str
    target: str
    iterate: bool


@dataclass(slots=True)
class Query:
    """A search on one type, understood.

    Attributes:
        used: the parameters that were applied, for the self link.
        ignored: names of parameters that were not known, for the warning.
        sort: (parameter name, descending), in order.
    """

    resource_type: str
    filters: list[Filter] = field(default_factory=list)
    includes: list[Include] = field(default_factory=list)
    revincludes: list[Include] = field(default_factory=list)
    sort: list[tuple[str, bool]] = field(default_factory=list)
    count: int = DEFAULT_COUNT
    cursor: str = ""
    total: str = ""
    part: Part = field(default_factory=Part)
    used: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def parse(
    resource_type: str, parameters: Sequence[tuple[str, str]], *, strict: bool = False
) -> Query:
    """Return what ``parameters`` ask for.

    Several values after one name, parted by commas, mean any of them; a name given twice means
    both. What is not known is left out and noted (R4 search, 3.1.1.1), or refused when ``strict``
    (Prefer: handling=strict). A known parameter with a modifier or value that is not understood
    is always refused: dropping it would find more than was asked for.

    Raises:
        BadSearch: see above.
    """
    query = Query(resource_type)
    summary, elements = "false", frozenset[str]()
    for name, value in parameters:
        if "\x00" in name or "\x00" in value:
            raise BadSearch("A parameter holds a character that no text has.")
        if not value and name not in _CONTROL:
            if strict or name.partition(":")[0] in _known(resource_type):
                raise BadSearch(f"The parameter {_shown(name)} has no value.")
            query.ignored.append(name)
            continue
        match name.partition(":")[0]:
            case "_count":
                query.count = min(whole_number(name, value), MAX_COUNT)
            case "_sort":
                query.sort = _sort(resource_type, value)
            case "_include":
                query.includes.append(_include(name, value))
            case "_revinclude":
                query.revincludes.append(_include(name, value))
            case "_summary":
                summary = _one_of(name, value, SUMMARIES)
            case "_total":
                query.total = _one_of(name, value, ("none", "estimate", "accurate"))
            case "_elements":
                elements = frozenset(each.strip() for each in value.split(","))
            case control if control == CURSOR:
                query.cursor = value
                continue
            case control if control in _CONTROL:
                continue
            case _:
                found = _filter(resource_type, name, value)
                if found is None:
                    if strict:
                        raise BadSearch(_unknown(resource_type, name))
                    query.ignored.append(name)
                    continue
                query.filters.append(found)
        query.used.append((name, value))
    if summary != "false" and elements:
        raise BadSearch("_summary and _elements exclude each other.")
    query.part = Part(summary, elements)
    return query


def pairs_of(text: str) -> list[tuple[str, str]]:
    """Return (name, value) of a query string or a form.

    Raises:
        BadSearch: it is no query string, or longer than anybody needs.
    """
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=200, errors="strict")
    except ValueError as error:
        raise BadSearch("This is no list of at most 200 parameters.") from error


def whole_number(name: str, text: str) -> int:
    """Return the number a parameter holds.

    Raises:
        BadSearch: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadSearch(f"The parameter {name!r} takes a whole number.")
    return int(text)


def _known(resource_type: str) -> dict[str, Parameter]:
    return SERVED[resource_type].all_parameters()


def _filter(resource_type: str, name: str, value: str) -> Filter | None:
    head, dot, chain = name.partition(".")
    bare, _, modifier = head.partition(":")
    parameter = _known(resource_type).get(bare)
    if parameter is None:
        return None
    if dot:
        return _chained(resource_type, parameter, modifier, chain, value)
    is_type = parameter.kind == "reference" and modifier in SERVED
    if modifier and not is_type and modifier not in _MODIFIERS[parameter.kind]:
        raise BadSearch(f"{bare} cannot be modified by {_shown(modifier)}.")
    return Filter(parameter, modifier, "", value)


def _chained(
    resource_type: str, parameter: Parameter, modifier: str, chain: str, value: str
) -> Filter:
    if parameter.kind != "reference" or "." in chain:
        raise BadSearch("Chains lead over one reference: patient.identifier.")
    if modifier and modifier not in SERVED:
        raise BadSearch(f"{_shown(modifier)} is no type served here.")
    if not any(
        chain.partition(":")[0] in _known(each) for each in chain_targets(parameter, modifier)
    ):
        raise BadSearch(f"Nothing that {parameter.name} points at is searched by that.")
    return Filter(parameter, modifier, chain, value)


def chain_targets(parameter: Parameter, modifier: str) -> list[str]:
    """Return the types a chain over ``parameter`` may lead to."""
    named = modifier or parameter.target
    return [named] if named else [name for name, served in SERVED.items() if served.searched]


def _sort(resource_type: str, value: str) -> list[tuple[str, bool]]:
    keys = []
    for text in value.split(","):
        name = text.strip().removeprefix("-")
        parameter = _known(resource_type).get(name)
        # values of sort keys stand in the addresses of pages: no names, no birth dates there
        if parameter is None or parameter.kind not in _SORTABLE or name == "birthdate":
            names = sorted(
                each.name
                for each in _known(resource_type).values()
                if each.kind in _SORTABLE and each.name != "birthdate"
            )
            raise BadSearch(f"{resource_type} is sorted by: {', '.join(names)}.")
        keys.append((name, text.strip().startswith("-")))
    return keys[:4]


def _include(name: str, value: str) -> Include:
    iterate = name.partition(":")[2] in ("iterate", "recurse")
    if value == "*":
        return Include("*", "*", "", iterate)
    source, _, rest = value.partition(":")
    parameter, _, target = rest.partition(":")
    known = SERVED.get(source)
    kind = known.all_parameters().get(parameter) if known else None
    if known is None or (parameter != "*" and (kind is None or kind.kind != "reference")):
        raise BadSearch(f"{name.partition(':')[0]} takes Type:reference-parameter[:TargetType].")
    return Include(source, parameter, target, iterate)


def _one_of(name: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise BadSearch(f"{name} is one of: {', '.join(allowed)}.")
    return value


def _unknown(resource_type: str, name: str) -> str:
    known = ", ".join(_known(resource_type))
    return f"The parameter {_shown(name)} is not served on {resource_type}. Served: {known}."


def _shown(text: str) -> str:
    """Return a name from a query as it may be repeated: short and plain."""
    plain = "".join(letter for letter in text if letter.isascii() and letter.isprintable())
    return f"'{plain[:40]}'"
