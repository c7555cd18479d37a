"""Running one of the decoder scripts on untrusted bytes, and reading what it answers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

_MAX_LINE_BYTES = 1 << 20
"""Fifty pages with two hundred long barcodes each; more says no decoder of ours."""


class ChildRefused(Exception):
    """The decoder looked at the file and refuses it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


class ChildDied(Exception):
    """The decoder ended without an answer; ``overran``: its time was over."""

    def __init__(self, *, overran: bool) -> None:
        super().__init__("time" if overran else "crash")
        self.overran = overran


class ChildOutput:
    """What a decoder writes: JSON lines with bytes behind some of them."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def line(self) -> dict[str, Any]:
        """Read one line.

        Raises:
            ChildRefused: it carries an error.
            EOFError: none comes, or none that our decoders write.
        """
        raw = self._stream.readline(_MAX_LINE_BYTES)
        try:
            line = json.loads(raw) if raw.endswith(b"\n") else None
        except ValueError:
            line = None
        if not isinstance(line, dict):
            raise EOFError("The decoder stopped early.")
        if line.get("error"):
            code, detail = line["error"]
            raise ChildRefused(str(code), str(detail))
        return line

    def exactly(self, size: int) -> bytes:
        """Read ``size`` bytes; ``EOFError`` when they do not come."""
        raw = self._stream.read(size)
        if len(raw) != size:
            raise EOFError("The decoder stopped early.")
        return raw


@contextmanager
def child_run(
    script: Path, arguments: Sequence[str], data: bytes, *, wall_s: float
) -> Iterator[ChildOutput]:
    """Run a decoder script on ``data``; it is gone when the block is left.

    Raises:
        ChildRefused: it refused the file.
        ChildDied: it crashed, or was ended after ``wall_s`` seconds or by its own limits.
    """
    process = subprocess.Popen(  # noqa: S603  our own interpreter and script
        [sys.executable, "-I", str(script), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    )
    feeder = threading.Thread(target=_feed, args=(process.stdin, data), daemon=True)
    deadline = threading.Timer(wall_s, process.kill)
    feeder.start()
    deadline.start()
    try:
        yield ChildOutput(process.stdout)  # type: ignore[arg-type]  # set, because of PIPE
    except EOFError as error:
        over = {-signal.SIGXCPU, -signal.SIGKILL}
        raise ChildDied(overran=process.wait() in over) from error
    finally:
        deadline.cancel()
        process.kill()
        process.wait()
        feeder.join()
        process.stdout.close()  # type: ignore[union-attr]


def _environment() -> dict[str, str]:
    """Pass on next to nothing: the decoder must not see secrets, nor start a thread pool."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _feed(stdin: IO[bytes], data: bytes) -> None:
    """Write the file to the child; a child that has already died needs no more of it."""
    try:
        with stdin:
            stdin.write(data)
    except BrokenPipeError:
        return
