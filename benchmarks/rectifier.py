"""What the rectifier of a trained ``trba`` is worth: the same weights without it, as they are.

    python -m benchmarks.rectifier --data DIR --out FILE [--also WEIGHTS ...]

Writes the weights without the rectifier (``transformation = "none"``) to ``--out`` and reads words
of held-out writers greedily with both, and with any ``--also``: what was trained on from either,
as by

    manage.py train --arch trba --config CONFIG --init FILE --data DIR --out RUN

with ``samples = 40960``, ``seed = 5``, ``on_device = true``, ``stored_chunks = 16``, ``reuse = 2``,
``pixels_per_batch = 12288``, ``learning_rate = 8e-4``, ``warmup_samples = 2000`` and
``decay_share = 1.0`` (and ``[model] transformation = "none"`` for the arm without).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.runtime import weights_paths
from clinic_hwr.recognition.training.checkpoints import export_weights, load_weights

from .ablations import Variant, measure, sets


def write_bare(weights: Path, out: Path) -> None:
    """Write weights without their rectifier."""
    name, model = load_weights(weights)
    config = replace(model.config, transformation="none")
    kept = {k: t for k, t in model.state_dict().items() if not k.startswith("transformation.")}
    export_weights(out, name, config, Charset(), kept)


def main() -> None:
    """Write the bare weights, measure all, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--also", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    torch.set_num_threads(1)
    [shipped] = weights_paths("trba")
    write_bare(shipped, options.out)
    crops = sets(options.data)
    print("| weights | set | n | CTC exact [95%] | CTC CER | decoder exact |")
    print("| --- | --- | --- | --- | --- | --- |")
    for path in (shipped, options.out, *options.also):
        for name, some in crops.items():
            row = measure(Variant("trba"), path, some)
            print(
                f"| {path} | {name} | {row['n']} | {row['ctc_exact']:.1%} "
                f"[{row['ctc_low']:.1%}, {row['ctc_high']:.1%}] | {row['ctc_cer']:.1%} | "
                f"{row['attention_exact']:.1%} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
