"""Parts of resources: ``_summary`` and ``_elements`` (R4 search, 3.1.1.5.8 and 3.1.1.5.9)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from .definitions import Element, elements_of
from .primitives import V3_OBSERVATION_VALUE, coding

SUMMARIES = ("true", "text", "data", "count", "false")
_SUBSETTED = coding(V3_OBSERVATION_VALUE, "SUBSETTED", "subsetted")
# What a reader needs to know what it has: the labels of a resource are never left out.
_ALWAYS = frozenset({"resourceType", "id", "meta"})


@dataclass(frozen=True, slots=True)
class Part:
    """How much of each resource is wanted.

    Attributes:
        summary: one of ``SUMMARIES``; "false" for everything.
        elements: names of top-level elements, empty for all.
    """

    summary: str = "false"
    elements: frozenset[str] = frozenset()

    def is_whole(self) -> bool:
        """Tell whether nothing is to be left out, so that the stored bytes can be sent."""
        return self.summary in ("false", "count") and not self.elements

    def of(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Return the wanted part of ``resource``, marked as such in ``meta.tag``."""
        if self.is_whole():
            return resource
        name = str(resource["resourceType"])
        if self.elements:
            part = _keep(resource, name, self.elements)
        elif self.summary == "true":
            part = _summary(resource, name)
        elif self.summary == "text":
            part = _keep(resource, name, {"text"})
        else:
            part = {key: value for key, value in resource.items() if key != "text"}
        meta = dict(resource.get("meta", {}))
        return {**part, "meta": {**meta, "tag": [*meta.get("tag", []), _SUBSETTED]}}


def _keep(resource: dict[str, Any], name: str, wanted: Collection[str]) -> dict[str, Any]:
    """Return ``wanted`` and what R4 demands of every instance."""
    known = elements_of(name)

    def kept(key: str) -> bool:
        bare = key.removeprefix("_")
        element = known.get(bare)
        demanded = element is not None and element.required
        return (
            key in _ALWAYS
            or bare in wanted
            or demanded
            or bool(element and element.choice in wanted and element.choice)
        )

    return {key: value for key, value in resource.items() if kept(key)}


def _summary(value: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the summary elements of a resource or a part of one, all the way down."""
    part = {}
    for key, member in value.items():
        element = elements_of(name).get(key.removeprefix("_"))
        if key in _ALWAYS or key == "extension":
            part[key] = member
        elif element is not None and (element.summary or element.required):
            part[key] = _summarized(member, element)
    return part


def _summarized(member: Any, element: Element) -> Any:
    if isinstance(member, list):
        return [_summarized(each, element) for each in member]
    if isinstance(member, dict) and elements_of(element.type):
        return _summary(member, element.type) or member
    return member
