"""Loading weights: the recognition room's front door."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path

import torch

from .architectures import UnknownArchitecture, architecture, architecture_names
from .architectures.contract import Recognizer
from .architectures.registry import Reads
from .calibration import Calibrator, calibrator_from_json
from .comb_reader import CharacterReader, CombReader
from .decoding.choice import PREFIX_BEAM, BadDecoding, Decoding
from .decoding.language_model import packaged_language_model
from .fusion import equal_weights, fusion_from_json
from .inference import prepare_for_inference
from .network import Network
from .onnx_encoder import OnnxRecognizer
from .paragraphs import BlockReader, ParagraphReader
from .reader import FusedReader, ReaderSettings
from .training.checkpoints import WeightsRefused, load_weights
from .types import Reader

WEIGHTS_DIR = Path(__file__).parent / "weights"
SHIPPED = "trba+fcn_ctc"  # two different readers: where they agree they are seldom wrong
NEVER_TRUSTED = Calibrator((), (), (), (), -30.0)


class WeightsNotFound(FileNotFoundError):
    """No weights are installed for the architecture that was asked for."""


LOADING_ERRORS = (UnknownArchitecture, WeightsNotFound, WeightsRefused)


def weights_paths(arch: str) -> tuple[Path, ...]:
    """Where the shipped weights of an architecture, or of several joined by "+", lie."""
    return tuple(WEIGHTS_DIR / f"{name}-small.safetensors" for name in arch.split("+"))


@lru_cache(maxsize=4)
def load_reader(
    arch: str | None = None,
    weights: Path | tuple[Path, ...] | None = None,
    decoding: Decoding | None = None,
) -> FusedReader:
    """Load a reader once per process.

    Args:
        arch: a registered architecture, or several joined by "+" that read together; None =
            what ships, ``SHIPPED``.
        weights: one weights file an architecture; None = the shipped ones. The file beside
            them (``settings_path``) holds their fusion weights and calibrators; without it
            every reading has ``p_correct`` 0 and goes to a human.
        decoding: how CTC layers are searched; None = prefix beam. Each search has a settings
            file of its own.

    Raises:
        BadDecoding: the search cannot be made with this reader.
        UnknownArchitecture: no such name (the message lists the valid ones).
        WeightsNotFound: the architecture has no weights here.
    """
    names = (arch or SHIPPED).split("+")
    for name in names:
        if name not in architecture_names():
            raise UnknownArchitecture(
                f"There is no architecture {name!r}. Choose from: "
                f"{', '.join(architecture_names())}; several are joined by '+'."
            )
        if (reads := architecture(name).reads) not in ("word", "line"):
            raise UnknownArchitecture(
                f"{name} cannot read fields: it reads {reads}s."
                if reads != "nothing"
                else f"{name} cannot read fields: it makes words."
            )
    paths = _as_tuple(weights) or weights_paths("+".join(names))
    if len(paths) != len(names):
        raise WeightsNotFound(f"{len(names)} architectures need as many weights files.")
    networks = [_load_network(name, path) for name, path in zip(names, paths, strict=True)]
    settings = _settings(networks, paths, decoding or Decoding())
    fusions = (settings.free, settings.lexicon)
    model = packaged_language_model() if any(f.language for f in fusions) else None
    return FusedReader(networks, settings, model, decoding)


def load_family_reader(
    arch: str | None = None,
    weights: tuple[Path, ...] | None = None,
    decoding: Decoding | None = None,
    cells: int | None = None,
) -> Reader:
    """Load a reader of any family that reads: each takes the crops it is made for.

    Args:
        arch: see ``load_reader``; or one that reads characters or paragraphs.
        weights: one file an architecture; None = the shipped ones.
        decoding: how CTC layers are searched; for words and lines only.
        cells: of each crop, for a family that reads characters; None = one character a crop.

    Raises:
        UnknownArchitecture: no such name, or it reads nothing.
        WeightsNotFound, WeightsRefused: no weights, or not of this architecture.
        BadDecoding: the search, or the cells, do not go with this family.
    """
    reads = family_of(arch or SHIPPED)
    if cells is not None and reads != "character":
        raise BadDecoding(f"{arch or SHIPPED} reads {reads}s: only characters stand in cells.")
    if reads in ("character", "paragraph"):
        if decoding and decoding.name != PREFIX_BEAM:
            raise BadDecoding(f"{arch} reads {reads}s: {decoding.name} is for words and lines.")
        path = weights[0] if weights else None
        if reads == "character":
            return CharacterReader(load_comb_reader(str(arch), path), cells)
        return ParagraphReader(load_block_reader(str(arch), path))
    return load_reader(arch, weights, decoding)


def family_of(arch: str) -> Reads:
    """What a family reads; of several joined by "+" what the first does.

    Raises:
        UnknownArchitecture: no such name.
    """
    return architecture(arch.split("+")[0]).reads


@lru_cache(maxsize=2)
def load_comb_reader(arch: str, weights: Path | None = None) -> CombReader:
    """Load a reader of boxed characters once per process.

    Args:
        arch: a registered architecture that reads characters.
        weights: its file; None = the shipped one. The settings file beside it
            (``settings_path``) holds the calibrator; without one that was fitted for these
            very weights every reading has ``p_correct`` 0.

    Raises:
        UnknownArchitecture: no such name, or it reads no characters.
        WeightsNotFound: there are no weights, or not of this architecture.
    """
    _check_reads(arch, "character", "cells")
    return CombReader(*_prepared(arch, weights, "comb"))


@lru_cache(maxsize=2)
def load_block_reader(arch: str, weights: Path | None = None) -> BlockReader:
    """Load a reader of blocks of text once per process; see ``load_comb_reader``.

    Raises:
        UnknownArchitecture: no such name, or it reads no paragraphs.
        WeightsNotFound: there are no weights, or not of this architecture.
    """
    _check_reads(arch, "paragraph", "blocks")
    return BlockReader(*_prepared(arch, weights, "paragraph"))


def _prepared(arch: str, weights: Path | None, kind: str) -> tuple[Recognizer, str, Calibrator]:
    """A model ready to read, its version, and the calibrator fitted for these very weights."""
    path = weights or weights_paths(arch)[0]
    model, version = _load_model(arch, path)
    calibrators = _calibrators(settings_path((path,)), version)
    return prepare_for_inference(model), version, calibrators.get(kind, NEVER_TRUSTED)


def _check_reads(arch: str, wanted: str, what: str) -> None:
    reads = architecture(arch).reads
    if reads != wanted:
        able = [name for name in architecture_names() if architecture(name).reads == wanted]
        does = "makes words" if reads == "nothing" else f"reads {reads}s"
        raise UnknownArchitecture(
            f"{arch} cannot read {what}: it {does}. Choose from: {', '.join(able)}."
        )


def _calibrators(path: Path, version: str) -> dict[str, Calibrator]:
    """Calibrators of a settings file, none when it was fitted for other weights."""
    if not path.exists():
        return {}
    data = json.loads(path.read_text(encoding="utf-8"))
    if data.get("model") != version:
        return {}
    return {name: calibrator_from_json(c) for name, c in data["calibrators"].items()}


def save_calibrators(
    path: Path, calibrators: Mapping[str, Calibrator], model: str, fitted_on: str
) -> None:
    """Write the calibrators of a reader of cells or blocks, with the version they are for."""
    found = {name: asdict(c) for name, c in calibrators.items()}
    content = {"model": model, "fitted_on": fitted_on, "calibrators": found}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _load_network(name: str, path: Path) -> Network:
    model, version = _load_model(name, path)
    # What torch keeps doing (rectifier, decoder) is folded; the encoder goes to ONNX Runtime.
    fast = prepare_for_inference(model)
    if model.exported_encoder() is not None:
        fast = OnnxRecognizer(model, fast, torch.get_num_threads())
    return Network(fast, version)


def _load_model(name: str, path: Path) -> tuple[Recognizer, str]:
    """A trained recognizer, and the name and content hash of its weights."""
    if not path.exists():
        raise WeightsNotFound(
            f"No weights for {name} at {path.name}: train them with "
            f"`manage.py train --arch {name}` and pass the file."
        )
    found, model = load_weights(path)
    if found != name:
        raise WeightsNotFound(f"{path.name} holds {found}, not {name}.")
    if not isinstance(model, Recognizer):
        raise WeightsNotFound(f"{name} makes words and cannot read them.")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return model, f"{path.stem}@{digest}"


def _as_tuple(weights: Path | tuple[Path, ...] | None) -> tuple[Path, ...]:
    if weights is None:
        return ()
    return weights if isinstance(weights, tuple) else (weights,)


def settings_path(weights: tuple[Path, ...], decoder: str = PREFIX_BEAM) -> Path:
    """The file of settings fitted for weights files that read together, and for a search."""
    search = "" if decoder == PREFIX_BEAM else f".{decoder}"
    return weights[0].with_name("+".join(path.stem for path in weights) + f"{search}.settings.json")


def _settings(
    networks: list[Network], paths: tuple[Path, ...], decoding: Decoding
) -> ReaderSettings:
    """Settings of a search; without its own the weights of the usual one, and no trust."""
    own = settings_path(paths, decoding.name)
    if own.exists() or decoding.name == PREFIX_BEAM:
        return load_settings(networks, own)
    usual = load_settings(networks, settings_path(paths))
    return replace(usual, calibrators={"word": NEVER_TRUSTED, "lexicon": NEVER_TRUSTED})


def load_settings(networks: list[Network], path: Path) -> ReaderSettings:
    """Read what ``save_settings`` wrote.

    Networks without such a file can still be read with, for evaluation: every opinion then
    counts the same and nothing is trusted.
    """
    if not path.exists():
        equal = equal_weights(sum(n.has_ctc for n in networks), networks[0].decoder is not None)
        return ReaderSettings(equal, equal, {"word": NEVER_TRUSTED, "lexicon": NEVER_TRUSTED})
    data = json.loads(path.read_text(encoding="utf-8"))
    calibrators = {name: calibrator_from_json(c) for name, c in data["calibrators"].items()}
    return ReaderSettings(
        fusion_from_json(data["free"]), fusion_from_json(data["lexicon"]), calibrators
    )


def save_settings(path: Path, settings: ReaderSettings, model: str, fitted_on: str) -> None:
    """Write fitted settings as JSON, with the version they were fitted for."""
    content = {
        "model": model,
        "fitted_on": fitted_on,
        "free": asdict(settings.free),
        "lexicon": asdict(settings.lexicon),
        "calibrators": {name: asdict(c) for name, c in settings.calibrators.items()},
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
