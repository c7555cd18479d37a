"""Loading weights: the recognition room's front door."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import torch

from .architectures import UnknownArchitecture, architecture, architecture_names
from .architectures.contract import Recognizer
from .calibration import Calibrator, calibrator_from_json
from .decoding.language_model import packaged_language_model
from .fusion import equal_weights, fusion_from_json
from .inference import prepare_for_inference
from .network import Network
from .onnx_encoder import OnnxRecognizer
from .reader import FusedReader, ReaderSettings
from .training.checkpoints import load_weights

WEIGHTS_DIR = Path(__file__).parent / "weights"
SHIPPED = "trba+fcn_ctc"  # two different readers: where they agree they are seldom wrong
NEVER_TRUSTED = Calibrator((), (), (), (), -30.0)


class WeightsNotFound(FileNotFoundError):
    """No weights are installed for the architecture that was asked for."""


def weights_paths(arch: str) -> tuple[Path, ...]:
    """Where the shipped weights of an architecture, or of several joined by "+", lie."""
    return tuple(WEIGHTS_DIR / f"{name}-small.safetensors" for name in arch.split("+"))


@lru_cache(maxsize=4)
def load_reader(
    arch: str | None = None, weights: Path | tuple[Path, ...] | None = None
) -> FusedReader:
    """Load a reader once per process.

    Args:
        arch: a registered architecture, or several joined by "+" that read together; None =
            what ships, ``SHIPPED``.
        weights: one weights file an architecture; None = the shipped ones. The file beside
            them (``settings_path``) holds their fusion weights and calibrators; without it
            every reading has ``p_correct`` 0 and goes to a human.

    Raises:
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
    settings = load_settings(networks, settings_path(paths))
    fusions = (settings.free, settings.lexicon)
    model = packaged_language_model() if any(f.language for f in fusions) else None
    return FusedReader(networks, settings, model)


def _load_network(name: str, path: Path) -> Network:
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
    # What torch keeps doing (rectifier, decoder) is folded; the encoder goes to ONNX Runtime.
    fast = prepare_for_inference(model)
    if model.exported_encoder() is not None:
        fast = OnnxRecognizer(model, fast, torch.get_num_threads())
    return Network(fast, f"{path.stem}@{digest}")


def _as_tuple(weights: Path | tuple[Path, ...] | None) -> tuple[Path, ...]:
    if weights is None:
        return ()
    return weights if isinstance(weights, tuple) else (weights,)


def settings_path(weights: tuple[Path, ...]) -> Path:
    """The file of fitted settings that belongs to weights files that read together."""
    return weights[0].with_name("+".join(path.stem for path in weights) + ".settings.json")


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
