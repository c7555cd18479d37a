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
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from .types import Gray

_LOOP = Path(__file__).with_name("tesseract_loop.py")
_LIBRARY = "libtesseract.so.5"
_ELF = b"\x7fELF"
_HELLO_S = 20.0
_PAGES_A_CHILD = 500  # then a fresh one: what a C++ library may leak has an end

_T = TypeVar("_T")


class TookTooLong(RuntimeError):
    """The child was ended because a page took longer than it may."""


class Child:
    """One running child. Not thread-safe.

    Attributes:
        pages: how many it was asked to read.
    """

    def __init__(self, version: str) -> None:
        self.owner, self.pages = os.getpid(), 0
        # Unbuffered: after a fork, a buffer would be sent twice.
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, a file of ours
            [sys.executable, "-I", "-S", str(_LOOP), _LIBRARY], bufsize=0,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        stdin, stdout = self._process.stdin, self._process.stdout
        assert isinstance(stdin, io.RawIOBase) and isinstance(stdout, io.RawIOBase)  # noqa: S101
        self._to: io.RawIOBase = stdin
        self._from: io.BufferedReader = io.BufferedReader(stdout)
        try:
            said = self._before(_HELLO_S, self._line)
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
            TookTooLong: it was ended at the limit.
        """
        height, width = gray.shape
        head = f"{width} {height} {page_mode} {int(inverted)} {languages}\n".encode()

        def ask() -> str | None:
            left = memoryview(head + gray.tobytes())
            while left:
                left = left[self._to.write(left) or 0 :]
            size = int(self._line())
            if size < 0:
                return None
            answer = self._from.read(size)
            if len(answer) < size:
                raise OSError("the child is gone")
            return answer.decode("utf-8", "replace")

        self.pages += 1
        return self._before(limit_s, ask)

    def end(self) -> None:
        """Kill the child and close its pipes; of another process's child only the pipes."""
        if self.owner == os.getpid():
            self._process.kill()
            self._process.wait()
        self._to.close()
        self._from.close()

    def _line(self) -> bytes:
        line = self._from.readline()
        if not line.endswith(b"\n"):
            raise OSError("the child is gone")
        return line.strip()

    def _before(self, limit_s: float, step: Callable[[], _T]) -> _T:
        """Do a step of talking; the child is killed when that takes too long."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            self._process.kill()

        watch = threading.Timer(limit_s, stop)
        watch.daemon = True
        watch.start()
        try:
            return step()
        except OSError as error:
            if late.is_set():
                raise TookTooLong from error
            raise
        finally:
            watch.cancel()


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
