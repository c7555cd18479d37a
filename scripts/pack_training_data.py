"""Pack what training reads into one small file, for a machine that little can be carried to.

    .venv/bin/python scripts/pack_training_data.py DATA CACHE OUT.tar.xz

Scans become WebP of quality 70 (the suffix in ``labels.tsv`` follows). EMNIST's characters stay
behind but for a share, and everything named val or test does. Writers who are held out come
along: it is the loader that leaves them out. ``CACHE`` holds letters and words that a reader found
(``alignment``).
"""

from __future__ import annotations

import csv
import io
import sys
import tarfile
from pathlib import Path

import cv2
import numpy as np

from clinic_hwr.recognition.training.datasets import LETTERS_FILE, WORDS_FILE
from clinic_hwr.recognition.training.sources import read_gray

QUALITY = 70
EMNIST_KEPT = 6000
ONLINE = ("unipen_words_train.npz", "unipen_lines_train.npz", "unipen_chars_train.npz")


def main(data: Path, cache: Path, out: Path) -> None:
    """Write the archive; its folders are ``data`` and ``cache``."""
    with tarfile.open(out, "w:xz", preset=6) as archive:
        for name in ONLINE:
            _add(archive, f"data/online/{name}", _repacked(data / "online" / name))
        for name in ("drugs.tsv", "lookalike_pairs.tsv"):
            _add(archive, f"data/lexicons/{name}", (data / "lexicons" / name).read_bytes())
        for path in sorted((data / "fonts").iterdir()):
            if path.is_file():
                _add(archive, f"data/fonts/{path.name}", path.read_bytes())
        _add(archive, "data/chars/emnist_byclass62_train.npz", _characters(data / "chars"))
        _add_scans(archive, data / "handwriting")
        _add(archive, f"cache/{LETTERS_FILE}", _repacked(cache / LETTERS_FILE))
        words = (cache / WORDS_FILE).read_text(encoding="utf-8").replace(".jpg", ".webp")
        _add(archive, f"cache/{WORDS_FILE}", words.replace(".png", ".webp").encode())


def _add_scans(archive: tarfile.TarFile, folder: Path) -> None:
    with (folder / "labels.tsv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))
    lines = ["path\ttext\tlevel\twriter"]
    for row in rows:
        name = str(Path(row["path"]).with_suffix(".webp"))
        lines.append("\t".join([name, row["text"], row["level"], row["writer"]]))
        gray = read_gray(folder / row["path"])
        done, coded = cv2.imencode(".webp", gray, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
        if not done:
            raise ValueError(f"{row['path']} cannot be written as WebP.")
        _add(archive, f"data/handwriting/{name}", coded.tobytes())
    _add(archive, "data/handwriting/labels.tsv", "\n".join(lines).encode())


def _repacked(path: Path) -> bytes:
    """An npz without its own compression, which xz does better."""
    with np.load(path) as z:
        return _npz({key: z[key] for key in z.files})


def _characters(folder: Path) -> bytes:
    with np.load(folder / "emnist_byclass62_train.npz") as z:
        chosen = np.random.default_rng(0).permutation(len(z["labels"]))[:EMNIST_KEPT]
        return _npz(
            {
                "images": z["images"][chosen],
                "labels": z["labels"][chosen],
                "classes": z["classes"],
            }
        )


def _npz(arrays: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)  # type: ignore[arg-type]  # numpy's stub
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*map(Path, sys.argv[1:]))
