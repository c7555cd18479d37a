"""Learning curves as a picture."""

from __future__ import annotations

import csv
from pathlib import Path


def draw_curve(table: Path, picture: Path) -> None:
    """Draw loss and CER of a run's ``curve.csv`` as PNG.

    Columns: crops seen, loss, training CER, held-out CER or nothing, time.

    Needs the extra ``train`` (matplotlib); without it nothing is drawn, the table remains.
    """
    try:
        import matplotlib
    except ModuleNotFoundError:
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    with table.open(newline="", encoding="utf-8") as handle:
        rows = [[float(cell or "nan") for cell in row] for row in csv.reader(handle) if row]
    figure, loss_axis = plt.subplots(figsize=(7, 4))
    loss_axis.plot([r[0] for r in rows], [r[1] for r in rows], color="tab:blue")
    loss_axis.set_xlabel("crops seen")
    loss_axis.set_ylabel("training loss", color="tab:blue")
    cer_axis = loss_axis.twinx()
    cer_axis.plot([r[0] for r in rows], [r[2] for r in rows], color="tab:red")
    cer_axis.plot([r[0] for r in rows], [r[3] for r in rows], color="black")
    cer_axis.set_ylabel("CER of the CTC best path: training red, held out black")
    cer_axis.set_ylim(0, 1)
    figure.tight_layout()
    figure.savefig(picture, dpi=100)
    plt.close(figure)
