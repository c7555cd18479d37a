"""The installation's secret key: made at first start, the same for every process."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path


def secret_key_from_file(path: Path) -> str:
    """Return the key kept in ``path``, making it if there is none.

    Several processes may start for the first time at once. Each writes a complete file of its
    own and links it to ``path``; the first link wins, and everybody reads the winner's key.
    """
    if not path.exists():
        handle, own = tempfile.mkstemp(dir=path.parent, prefix=".secret_key.")  # mode 0600
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(50))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(own, path)
        Path(own).unlink()
    return path.read_text()
