"""Which of the compiled recurrences of ``stages.mdlstm`` a device can run."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from torch.autograd import Function


class Kernels(NamedTuple):
    """Recurrences without peepholes, in float32.

    Attributes:
        scan: as ``mdlstm.DiagonalScan``.
        located: adds up the inputs of the cells by itself, or None; see ``MdLstm.scan_located``.
    """

    scan: type[Function]
    located: type[Function] | None


@cache
def kernels(device: str) -> Kernels | None:
    """Those of a type of device: Triton's on a GPU, Numba's on a CPU, where it is installed.

    Called when a scan first needs them, as their import takes time.
    """
    try:
        if device == "cuda":
            from .mdlstm_triton import FusedScan

            return Kernels(FusedScan, None)
        if device == "cpu":
            from .mdlstm_numba import CompiledLocatedScan, CompiledScan

            return Kernels(CompiledScan, CompiledLocatedScan)
    except ImportError:
        pass
    return None
