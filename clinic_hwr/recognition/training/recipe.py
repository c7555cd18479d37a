"""A training run as data: architecture, model settings, mixture and schedule."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from clinic_hwr.recognition.architectures import architecture, preset

from .adversarial import GanConfig
from .datasets import MixtureConfig
from .loop import TrainConfig

T = TypeVar("T")


@dataclass(frozen=True)
class Recipe:
    """Everything that fixes a run besides the data.

    Attributes:
        arch: a registered architecture.
        model: its configuration.
        mixture: share of each source; words and lines only.
        train: schedule.
    """

    arch: str
    model: Any
    mixture: MixtureConfig = field(default_factory=MixtureConfig)
    train: TrainConfig = field(default_factory=TrainConfig)


@dataclass(frozen=True)
class GanRecipe:
    """The same for a family that makes words.

    Attributes:
        arch: a registered architecture that reads nothing.
        model: its configuration.
        train: schedule.
    """

    arch: str
    model: Any
    train: GanConfig = field(default_factory=GanConfig)


def make_recipe(arch: str, preset_name: str, config_file: Path | None = None) -> Recipe | GanRecipe:
    """Start from a preset and override it by a TOML file.

    Args:
        arch: a registered architecture.
        preset_name: one of its presets.
        config_file: TOML with tables ``model``, ``mixture`` and ``train``; for a family that
            makes words ``model`` and ``train``.

    Raises:
        ValueError: the file names a table or a key that does not exist.
    """
    model = preset(arch, preset_name)
    makes_words = architecture(arch).reads == "nothing"
    recipe = GanRecipe(arch, model) if makes_words else Recipe(arch, model)
    if config_file is None:
        return recipe
    tables = tomllib.loads(config_file.read_text(encoding="utf-8"))
    known = {f.name for f in fields(recipe)} - {"arch"}
    if unknown := set(tables) - known:
        raise ValueError(f"Unknown tables in {config_file.name}: {', '.join(sorted(unknown))}.")
    changes = {name: _override(getattr(recipe, name), tables.get(name, {})) for name in known}
    return replace(recipe, **changes)


def _override(config: T, values: Mapping[str, Any]) -> T:
    names = {f.name for f in fields(config)}  # type: ignore[arg-type]  # a frozen dataclass
    unknown = set(values) - names
    if unknown:
        raise ValueError(
            f"Unknown settings: {', '.join(sorted(unknown))}. Choose from: "
            f"{', '.join(sorted(names))}."
        )
    changes = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return replace(config, **changes)  # type: ignore[type-var]
