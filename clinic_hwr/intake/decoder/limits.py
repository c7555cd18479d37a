"""What a decoder process may use, how it refuses a file, and how it talks to its parent."""

from __future__ import annotations

import ctypes
import json
import math
import resource
import sys
from collections.abc import Callable
from typing import Any

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000


class Refused(Exception):
    """The file is over a limit, encrypted or broken; ``args`` are (code, detail)."""


def limit_resources(memory_bytes: int, cpu_s: int) -> None:
    """Bound this process for good: address space, CPU time, no files written, no network."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _leave_network()


def limit_remaining_cpu(seconds: int) -> None:
    """Allow so many seconds of CPU time from now on, if that is less than what is left."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    end = math.ceil(used.ru_utime + used.ru_stime) + seconds
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (min(end, hard), min(end, hard)))


def _leave_network() -> None:
    """Move into an empty network namespace where the kernel lets us; elsewhere nothing changes."""
    unshare = getattr(ctypes.CDLL(None), "unshare", None)
    # A namespace for users first: it is what gives an ordinary account the right to the second.
    if unshare is not None and unshare(_CLONE_NEWNET) != 0:
        unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def call_decoder(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a decoder and turn whatever it raises into ``Refused``."""
    try:
        return function(*args, **kwargs)
    except Refused:
        raise
    except (MemoryError, RecursionError) as error:
        raise Refused("too_complex", "memory") from error
    except Exception as error:  # decoders raise nearly anything on damaged input
        raise Refused("broken", type(error).__name__) from error


def write_line(value: dict[str, Any]) -> None:
    """Write one JSON line."""
    sys.stdout.buffer.write(json.dumps(value).encode() + b"\n")
    sys.stdout.buffer.flush()


def write_blob(data: bytes, **facts: Any) -> None:
    """Write one JSON line with the length (``bytes``) and further facts, then the bytes."""
    write_line({**facts, "bytes": len(data)})
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
