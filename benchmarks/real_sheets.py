"""Sheets of real scanned lines, one writer each: which way up they are taken to be."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from page_scores import Tally

from clinic_hwr.pages import make_upright


def _row(line: np.ndarray, width: int, paper: int) -> np.ndarray:
    right = width - line.shape[1] + 60
    return cv2.copyMakeBorder(line, 12, 12, 60, right, cv2.BORDER_CONSTANT, value=[paper])


def real_writing(data: Path | None, seed: int) -> list[str]:
    """Quarter turns of sheets of real scanned lines, one writer each; nothing printed on them."""
    if data is None or not (data / "handwriting" / "labels.tsv").exists():
        return ["(no data of real lines)"]
    by_writer: dict[str, list[Path]] = defaultdict(list)
    for row in (data / "handwriting" / "labels.tsv").read_text("utf-8").splitlines()[1:]:
        path, _, level, writer = row.split("\t")[:4]
        if level == "line":
            by_writer[writer].append(data / "handwriting" / path)
    tally, rng = Tally(), np.random.default_rng(seed)
    for writer in sorted(by_writer)[::3]:
        paths = by_writer[writer]
        chosen = [paths[int(i)] for i in rng.permutation(len(paths))[:10]]
        lines = [one for path in chosen if (one := cv2.imread(str(path), 0)) is not None]
        if len(lines) < 4:
            continue
        wide = max(one.shape[1] for one in lines)
        paper = int(np.median(np.concatenate([one.ravel() for one in lines])))
        rows = [_row(one, wide, paper) for one in lines]
        sheet = np.vstack(rows).astype(np.uint8)
        for turns in range(4):
            page = make_upright(np.ascontiguousarray(np.rot90(sheet, -turns)))
            tally.count("real", page.rotation_deg == 90 * turns)
            if "orientation_unsure" not in page.problems:
                tally.count("sure", page.rotation_deg == 90 * turns)
    return ["| real scanned handwriting without print, four ways | right |", "| --- | --- |",
            tally.row("all views", "real"), tally.row("views said to be sure", "sure")]  # fmt: skip
