"""Tesseract kept ready in a process of its own: a page then costs neither its start nor its files.

Starting the program and loading English takes as long as reading a third of a page (0.12 of 0.32 s
on the pages of ``benchmarks/pages.py``). A process of its own, because Tesseract ends its process
on some faults and can hang: then the child is lost, not the worker. Wherever this way is not open
(no such library, a script in the program's place, another version, a busy child) the answer is
None, and the caller starts the program as ever.
"""

from __future__ import annotations

import atexit
import io
import os
import select
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

from .types import Gray

_LOOP = Path(__file__).with_name("tesseract_loop.py")
_LIBRARY = "libtesseract.so.5"
_ELF = b"\x7fELF"
_HELLO_S = 20.0
_PAGES_A_CHILD = 500  # then a fresh one: what a C++ library may leak has an end
_MOST_SAID = 1 << 16  # bytes taken in at once


class TookTooLong(RuntimeError):
    """A page took longer than it may; the child is to be ended."""


class Child:
    """One running child. Not thread-safe.

    The pixels of a page lie in memory that both processes see: a pipe would copy them twice, and
    change processes for every 64 KiB. It has no name and is on no disk.

    Attributes:
        pages: how many it was asked to read.
    """

    def __init__(self, version: str) -> None:
        self.owner, self.pages = os.getpid(), 0
        if not hasattr(os, "memfd_create"):
            raise OSError("no memory without a name here")
        self._pixels = os.memfd_create("clinic_hwr")
        # Unbuffered: after a fork, a buffer would be sent twice.
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, a file of ours
                [sys.executable, "-I", "-S", str(_LOOP), _LIBRARY, str(self._pixels)], bufsize=0,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                pass_fds=[self._pixels],
            )  # fmt: skip
        except OSError:
            os.close(self._pixels)
            raise
        stdin, stdout = self._process.stdin, self._process.stdout
        assert isinstance(stdin, io.RawIOBase) and isinstance(stdout, io.RawIOBase)  # noqa: S101
        self._to: io.RawIOBase = stdin
        self._from: io.RawIOBase = stdout
        self._said: bytes = b""
        try:
            said = self._line(time.monotonic() + _HELLO_S)
        except (OSError, TookTooLong):
            said = b""
        if said.decode("ascii", "replace") != version:
            self.end()
            raise OSError("the library is missing, or is not the program's")

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def table(
        self, gray: Gray, page_mode: int, languages: str, *, inverted: bool, limit_s: float
    ) -> str | None:
        """The table of a raster; None when a language file cannot be loaded.

        Raises:
            OSError: the child is gone.
            TookTooLong: it did not answer within the limit, and must be ended.
        """
        self.pages += 1
        until = time.monotonic() + limit_s
        height, width = gray.shape
        left, at = np.ascontiguousarray(gray).data.cast("B"), 0
        while at < len(left):
            at += os.pwrite(self._pixels, left[at:], at)
        self._to.write(f"{width} {height} {page_mode} {int(inverted)} {languages}\n".encode())
        size = int(self._line(until))
        return None if size < 0 else self._bytes(size, until).decode("utf-8", "replace")

    def end(self) -> None:
        """Kill the child and let go of what is shared; of another process's child only that."""
        if self.owner == os.getpid():
            self._process.kill()
            self._process.wait()
        self._to.close()
        self._from.close()
        os.close(self._pixels)

    def _line(self, until: float) -> bytes:
        while b"\n" not in self._said:
            self._wait(until)
        line, _, self._said = self._said.partition(b"\n")
        return line

    def _bytes(self, size: int, until: float) -> bytes:
        while len(self._said) < size:
            self._wait(until)
        found, self._said = self._said[:size], self._said[size:]
        return found

    def _wait(self, until: float) -> None:
        """Take in what the child says next.

        Raises:
            OSError: it is gone.
            TookTooLong: it says nothing before ``until`` (``time.monotonic``).
        """
        heard = select.poll()
        heard.register(self._from, select.POLLIN)
        if not heard.poll(max(0.0, until - time.monotonic()) * 1000):
            raise TookTooLong
        said = self._from.read(_MOST_SAID)
        if not said:
            raise OSError("the child is gone")
        self._said += said


_lock = threading.Lock()
_child: Child | None = None


def running() -> Child | None:
    """Return the child that is ready, if there is one."""
    return _child


def let_go() -> None:
    """End the child, if there is one; the next page starts another."""
    global _child, _lock
    _lock = threading.Lock()  # after a fork, its holder may not be there
    if _child is not None:
        _child.end()
    _child = None


os.register_at_fork(after_in_child=let_go)
atexit.register(let_go)


def warm_table(
    gray: Gray, *, program: str, version: str, page_mode: int, languages: str, inverted: bool,
    limit_s: float,
) -> str | None:  # fmt: skip
    """Read a raster by the Tesseract that is kept ready; None: it is not, start the program.

    Args:
        gray: (height, width) uint8.
        program: Tesseract as the site has it; only a program, not a script in its place.
        version: of that program; the library must have the same.
        page_mode: Tesseract's ``--psm``.
        languages: codes joined by ``+``.
        inverted: whether lines it is not sure of are read in negative as well.
        limit_s: seconds it may take.

    Returns:
        Rows of Tesseract's table (TSV) without its head.

    Raises:
        TookTooLong: the page took longer; the child was ended.
    """
    global _child
    if not _is_compiled(program) or not version or not _lock.acquire(blocking=False):
        return None
    try:
        if _child is not None and _child.pages >= _PAGES_A_CHILD:
            _child.end()
            _child = None
        if _child is None:
            _child = _started(version)
        if _child is None:
            return None
        try:
            return _child.table(gray, page_mode, languages, inverted=inverted, limit_s=limit_s)
        except (OSError, ValueError, TookTooLong):
            _child.end()
            _child = None
            raise
    except (OSError, ValueError):
        return None  # the program will say what is wrong with this page
    finally:
        _lock.release()


_refused: set[str] = set()


def _started(version: str) -> Child | None:
    """A fresh child; a version that the library has not is not tried again."""
    if version in _refused:
        return None
    try:
        return Child(version)
    except OSError:
        _refused.add(version)
        return None


def _is_compiled(program: str) -> bool:
    """Whether the program is Tesseract itself and not a script that may do anything else."""
    path = shutil.which(program)
    if path is None:
        return False
    try:
        with Path(path).open("rb") as file:
            return file.read(len(_ELF)) == _ELF
    except OSError:
        return False
