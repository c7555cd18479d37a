"""Training ScrabbleGAN: generator against discriminator, with a recognizer beside it.

The steps themselves are in ``adversarial_players``, what is seen in ``adversarial_data``.
"""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from clinic_hwr.recognition.architectures.scrabblegan import ScrabbleGanConfig
from clinic_hwr.recognition.charset import Charset

from .adversarial_data import (
    RealWords,
    UnlabelledFolder,
    WordPool,
    prescription_words,
    training_sources,
    training_text,
)
from .adversarial_players import ARCH, CURVE_COLUMNS, GanConfig, Players
from .checkpoints import export_weights, load_checkpoint, save_checkpoint

__all__ = ["GanConfig", "GanProgress", "train_gan", "train_players"]


@dataclass
class GanProgress:
    """Where a run stands; given to the reporting function after every step.

    Attributes:
        discriminator: its hinge loss; 2 = it knows nothing.
        reads_real, reads_written: CTC loss a character of the recognizer.
        balance: factor on the recognizer's gradient.
    """

    step: int
    total: int
    discriminator: float
    reads_real: float
    reads_written: float
    balance: float
    seconds_left: float


def train_gan(
    config: GanConfig,
    model_config: ScrabbleGanConfig,
    charset: Charset,
    data_dir: Path,
    out_dir: Path,
    report: Callable[[GanProgress], None] = lambda progress: None,
    seconds: float = math.inf,
    init: Path | None = None,
) -> Path:
    """Train, or go on with, a generator on the words of the data folder.

    Args:
        config: of the run.
        model_config: of the players.
        charset: what can be written, if the data hold it.
        data_dir: the data folder; writers held out of training are left out.
        out_dir: see ``train_players``.
        report: called after every step.
        seconds: how long to train at most in this call.
        init: weights of the same configuration to start a new run from.

    Returns:
        path of the exported weights.
    """
    folder = UnlabelledFolder(Path(config.unlabelled_dir)) if config.unlabelled_dir else None
    real = RealWords(
        training_sources(data_dir, config.scanned_share),
        charset,
        config.longest,
        config.batch,
        config.seed,
        config.chunk_samples,
        folder,
        config.unlabelled_share,
        config.draw_workers,
    )
    words = prescription_words(training_text(data_dir), config.seed)
    return train_players(config, model_config, charset, real, words, out_dir, report, seconds, init)


def train_players(
    config: GanConfig,
    model_config: ScrabbleGanConfig,
    charset: Charset,
    real: RealWords,
    words: Sequence[str],
    out_dir: Path,
    report: Callable[[GanProgress], None] = lambda progress: None,
    seconds: float = math.inf,
    init: Path | None = None,
) -> Path:
    """Train, or go on with, a generator.

    What a step draws depends on the seed and its number alone, so a checkpoint holds no state
    of a random generator: a run that was stopped ends with the very same weights.

    Args:
        config, model_config, charset, report, seconds, init: see ``train_gan``.
        real: real words.
        words: what to write; words with characters that ``real`` lacks are left out.
        out_dir: receives ``checkpoint.pt``, ``curve.csv``, ``sheet_<step>.png`` and
            ``weights.safetensors``.

    Returns:
        path of the exported weights, the generator's averaged.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    run = Players(config, model_config, charset, device)
    checkpoint = out_dir / "checkpoint.pt"
    if checkpoint.exists():
        run.restore(load_checkpoint(checkpoint))
    else:
        if init is not None:
            run.begin_from(init)
        run.model.seen.copy_(real.count_characters(config.counted_samples))
    pool = WordPool([word for word in words if run.model.can_write(word)])
    lengths = pool.lengths(config.longest)
    if not lengths:
        raise ValueError("No word can be written with the characters of the real crops.")
    started, started_at, saved_at = time.monotonic(), run.step, time.monotonic()
    with (out_dir / "curve.csv").open("a", newline="") as handle:
        curve = csv.writer(handle)
        if run.step == 0:
            curve.writerow(CURVE_COLUMNS)
        for batch in real.batches(lengths, run.place):
            if run.step >= config.steps or time.monotonic() - started > seconds:
                break
            run.learn(batch, pool)
            if run.step % config.curve_steps == 0:
                curve.writerow(run.curve_row(batch, pool))
                handle.flush()
            if run.step % config.sheet_steps == 0:
                run.draw_sheet(out_dir / f"sheet_{run.step:06d}.png")
            if time.monotonic() - saved_at > config.checkpoint_seconds:
                save_checkpoint(checkpoint, run.state())
                saved_at = time.monotonic()
            speed = (run.step - started_at) / max(1e-6, time.monotonic() - started)
            report(
                GanProgress(
                    run.step,
                    config.steps,
                    run.discriminator,
                    run.reads_real,
                    run.reads_written,
                    run.balance,
                    (config.steps - run.step) / max(speed, 1e-6),
                )
            )
    save_checkpoint(checkpoint, run.state())
    run.draw_sheet(out_dir / f"sheet_{run.step:06d}.png")
    weights = out_dir / "weights.safetensors"
    export_weights(weights, ARCH, model_config, charset, run.exported())
    return weights
