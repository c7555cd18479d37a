"""One registry of recognizer families: a decorator, one dict, an error that lists the names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from torch import nn

from clinic_hwr.recognition.charset import Charset

Reads = Literal["character", "word", "line", "paragraph", "nothing"]


class UnknownArchitecture(KeyError):
    """No recognizer of that name is registered."""


class UnknownPreset(KeyError):
    """The architecture has no preset of that name."""


@dataclass(frozen=True)
class Architecture:
    """How to build one family.

    Attributes:
        name: as given on the command line.
        config: frozen dataclass of its settings.
        build: (config, charset) -> module.
        presets: named configurations.
        paper: what it follows.
        paper_parameters: weights of the preset ``paper`` with the packaged character set;
            None when the family has no such preset.
        reads: the largest thing it reads at once; "nothing" for a family that makes words.
    """

    name: str
    config: type[Any]
    build: Callable[[Any, Charset], nn.Module]
    presets: Mapping[str, Any]
    paper: str
    paper_parameters: int | None = None
    reads: Reads = "line"


_REGISTRY: dict[str, Architecture] = {}


def register(
    name: str,
    *,
    config: type[Any],
    presets: Mapping[str, Any],
    paper: str,
    paper_parameters: int | None = None,
    reads: Reads = "line",
) -> Callable[[Callable[[Any, Charset], nn.Module]], Callable[[Any, Charset], nn.Module]]:
    """Register the decorated builder under ``name``."""

    def decorate(
        build: Callable[[Any, Charset], nn.Module],
    ) -> Callable[[Any, Charset], nn.Module]:
        _REGISTRY[name] = Architecture(name, config, build, presets, paper, paper_parameters, reads)
        return build

    return decorate


def architecture(name: str) -> Architecture:
    """Return a registered architecture; raises ``UnknownArchitecture`` naming the valid ones."""
    try:
        return _REGISTRY[name]
    except KeyError:
        raise UnknownArchitecture(
            f"There is no architecture {name!r}. Choose from: {', '.join(sorted(_REGISTRY))}."
        ) from None


def architecture_names() -> tuple[str, ...]:
    """All registered names, sorted."""
    return tuple(sorted(_REGISTRY))


def preset(name: str, preset_name: str) -> Any:
    """Return the configuration of a preset; raises ``UnknownPreset`` naming the valid ones."""
    entry = architecture(name)
    try:
        return entry.presets[preset_name]
    except KeyError:
        raise UnknownPreset(
            f"{name} has no preset {preset_name!r}. Choose from: {', '.join(entry.presets)}."
        ) from None


def config_from_dict(name: str, values: Mapping[str, Any]) -> Any:
    """Rebuild a configuration from JSON; raises ``ValueError`` on unknown keys."""
    config_type = architecture(name).config
    known = {f.name for f in fields(config_type)}
    unknown = set(values) - known
    if unknown:
        raise ValueError(f"Unknown settings for {name}: {', '.join(sorted(unknown))}.")
    return config_type(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
