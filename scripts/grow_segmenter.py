"""Give the segmenter of lines another shape and let it keep what it has learnt.

python scripts/grow_segmenter.py OLD NEW

Channels and blocks that are added change nothing at first: whoever reads a new channel has a weight
of 0 for it, and a new block adds 0 (the idea of Net2Net, Chen et al. 2016). Where the decoder's
finest level is made narrower, it keeps the directions that its maps vary most along, as seen on
noise-free strokes; it must learn on to be as good as before.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clinic_hwr.recognition.segmentation.network import LineSegmenter
from clinic_hwr.recognition.segmentation.weights import load_segmenter, save_segmenter


def grown(old: LineSegmenter, pages: Tensor) -> LineSegmenter:
    """A network of today's shape that begins where an older one stopped.

    Args:
        old: the trained one; of no part it has more than the new one has, but for the width of
            the decoder's finest level.
        pages: (batch, 1, height, width) of ink 0..1 that its maps are looked at on.
    """
    new = LineSegmenter()
    before = old.state_dict()
    width = old.laterals[1].out_channels
    state = new.state_dict()  # its tensors are those of the network
    for name, value in state.items():
        if name.startswith(("laterals.0", "narrowed", "smooth", "head", "struck")):
            continue
        if name in before:  # a block of its own is silent as timm makes it
            _placed(value, before[name])
    basis = _directions(old, pages, new.narrowed.out_channels)  # (fine, width)
    # Of the smooth maps, those whose absence would change the answers most.
    worth = _worth(old, pages)
    chosen = worth.argsort(descending=True)[: len(basis)].sort().values
    state["laterals.0.weight"].copy_(
        torch.einsum("fw,wcij->fcij", basis, before["laterals.0.weight"])
    )
    state["laterals.0.bias"].copy_(basis @ before["laterals.0.bias"])
    state["narrowed.weight"].zero_()
    state["narrowed.weight"][:, :width, 0, 0] = basis
    kernel = torch.einsum("owij,fw->ofij", before["smooth.0.weight"], basis)
    state["smooth.0.weight"].copy_(kernel[chosen])
    for name in ("weight", "bias", "running_mean", "running_var"):
        state[f"smooth.1.{name}"].copy_(before[f"smooth.1.{name}"][chosen])
    state["head.weight"].copy_(before["head.weight"][:, chosen])
    state["head.bias"].copy_(before["head.bias"])
    return new


def _placed(value: Tensor, before: Tensor) -> None:
    """Put older weights into the first places of new ones, in place."""
    if value.dim() == 4 and value.shape != before.shape:
        value[: before.shape[0], before.shape[1] :] = 0.0
    value[tuple(slice(0, size) for size in before.shape)] = before


def _merged_and_smooth(old: LineSegmenter, pages: Tensor) -> tuple[Tensor, Tensor]:
    """What goes into the smoothing and what comes out of it: (channels, pixels) each."""
    seen: dict[str, Tensor] = {}

    def look(_: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
        seen["in"], seen["out"] = given[0], out

    handle = old.smooth.register_forward_hook(look)
    with torch.no_grad():
        old(pages)
    handle.remove()
    return seen["in"].transpose(0, 1).flatten(1), seen["out"].transpose(0, 1).flatten(1)


def _directions(old: LineSegmenter, pages: Tensor, count: int) -> Tensor:
    """Orthonormal rows (count, width): most of what the merged maps do beside their mean."""
    merged, _ = _merged_and_smooth(old, pages)
    # Not centred: the mean must go through as well.
    values, vectors = torch.linalg.eigh(merged @ merged.T / merged.shape[1])
    print("kept of the merged maps:", float(values[-count:].sum() / values.sum()))
    return vectors[:, -count:].T.contiguous()


def _worth(old: LineSegmenter, pages: Tensor) -> Tensor:
    """Deviation of every smooth map times its weights in the answer: (width,)."""
    _, smooth = _merged_and_smooth(old, pages)
    return smooth.std(1) * old.head.weight.detach().abs().sum((0, 2, 3))


def main() -> None:
    """Read, grow, write."""
    source, target = map(Path, sys.argv[1:3])
    rng = np.random.default_rng(1)
    page = np.zeros((640, 640), np.uint8)
    for y in range(30, 630, 45):
        text = "".join(rng.choice(list("abcdefghijklmnoprstuvw 0123456789"), 30))
        face = [cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX][y // 45 % 2]
        cv2.putText(page, text, (10, y), face, 0.8, (255,), 2, cv2.LINE_AA)
    old, _ = load_segmenter(source)
    pages = torch.from_numpy(page).float()[None, None] / 255
    new = grown(old, pages).eval()
    with torch.no_grad():
        change = (new(pages).sigmoid() - old(pages).sigmoid()).abs().mean()
    print("mean change of the maps:", float(change))
    save_segmenter(new, target)


if __name__ == "__main__":
    main()
