"""Which of the compiled recurrences of ``stages.mdlstm`` a device can run."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from torch.autograd import Function

# With 128 cells a direction a single crop takes 56 ms in compiled code (map of 80 x 6 cells, one
# core of an EPYC), 19 in torch's products; with 64 it takes 3.1 in place of 7.6, and 16 crops 26 in
# place of 51. The weights have to stay in the core's cache.
LARGEST_COMPILED = 64


class Kernels(NamedTuple):
    """Recurrences without peepholes, in float32.

    Attributes:
        scan: as ``mdlstm.DiagonalScan``.
        located: adds up the inputs of the cells by itself, or None; see ``MdLstm.scan_located``.
    """

    scan: type[Function]
    located: type[Function] | None


@cache
def kernels(device: str, hidden: int) -> Kernels | None:
    """Those of a type of device: Triton's on a GPU, Numba's on a CPU, where it is installed.

    None where torch's own operations are all there is, or are faster for this many cells.

    Called when a scan first needs them, as their import takes time.
    """
    try:
        if device == "cuda":
            from .mdlstm_triton import FusedScan

            return Kernels(FusedScan, None)
        if device == "cpu" and hidden <= LARGEST_COMPILED:
            from .mdlstm_numba import CompiledLocatedScan, CompiledScan

            return Kernels(CompiledScan, CompiledLocatedScan)
    except ImportError:
        pass
    return None
