"""A folder that something else empties: the scan as PDF and the document Bundle as JSON.

The JSON file is written last, so a watcher for ``*.json`` always finds the PDF beside it. Both
appear complete or not at all (temporary file, fsync, rename).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ehr_adapters.documents import parse_document
from ehr_adapters.errors import Rejected, Retryable, Unsupported
from ehr_adapters.model import (
    Capabilities,
    Outcome,
    Receipt,
    RemoteRef,
    RemoteStatus,
    Submission,
    SubmissionKey,
)
from ehr_adapters.registry import config_text, register


class FolderAdapter:
    """One drop folder. It must exist: an unmounted share is no place to leave prescriptions."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def capabilities(self) -> Capabilities:
        """Tell whether the folder is there."""
        self._require_folder()
        return Capabilities(peer="folder", transaction=True, looks_up=True)

    def push(self, submission: Submission) -> Receipt:
        """Write both files once; see ``EhrAdapter.push``.

        Raises:
            Retryable: the folder is not there, full or not writable. Unlike with a network,
                nothing is ever ambiguous: the next push looks at the files.
            Rejected: a different document already has this version's name.
        """
        scan = parse_document(submission.bundle).attachment_bytes()
        self._require_folder()
        document_file = self._document_file(submission.key)
        try:
            if document_file.exists():
                if document_file.read_bytes() != submission.bundle:
                    raise Rejected("Another document is already there under this version's name.")
                return Receipt(Outcome.ALREADY_THERE, document_file.name)
            self._remove_leftovers(submission.key)
            self._write(document_file.with_suffix(".pdf"), scan)
            self._write(document_file, submission.bundle)
        except OSError as error:
            raise Retryable(f"The folder cannot be written ({type(error).__name__}).") from error
        return Receipt(Outcome.CREATED, document_file.name)

    def find(self, key: SubmissionKey) -> RemoteRef | None:
        """Return the document file of an earlier push, if nobody has taken it away yet."""
        self._require_folder()
        document_file = self._document_file(key)
        return RemoteRef(document_file.name) if document_file.exists() else None

    def status(self, remote: RemoteRef) -> RemoteStatus:
        """Tell whether the document file still lies there; a consumer takes it away."""
        self._require_folder()
        there = (self._folder / Path(remote.remote_id).name).exists()
        return RemoteStatus.PRESENT if there else RemoteStatus.ABSENT

    def _document_file(self, key: SubmissionKey) -> Path:
        return self._folder / f"{key.file_stem}.json"

    def _require_folder(self) -> None:
        if not self._folder.is_dir():
            raise Retryable("The drop folder is not there (is the share mounted?).")

    def _remove_leftovers(self, key: SubmissionKey) -> None:
        """Remove the temporary files that a killed sender left behind."""
        for leftover in self._folder.glob(f".{key.file_stem}.*.part"):
            leftover.unlink(missing_ok=True)

    def _write(self, path: Path, data: bytes) -> None:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=".part", dir=self._folder)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(self._folder)


def _sync_folder(folder: Path) -> None:
    # the rename itself must survive a power cut; not every network share can do this
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


@register("folder")
def build(config: Mapping[str, Any], environ: Mapping[str, str]) -> FolderAdapter:
    """Build from ``config``; its one key is ``folder``, an absolute path that exists."""
    folder = Path(config_text(config, "folder"))
    if not folder.is_absolute():
        raise Unsupported("The folder must be given as an absolute path.")
    return FolderAdapter(folder)
