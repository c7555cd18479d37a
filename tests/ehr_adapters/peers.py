"""A fake peer for each registered adapter, so that one contract runs on all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from .fake_fhir_server import fake_fhir_server
from .released import submission


class Peer(Protocol):
    """What the contract needs of a fake peer."""

    name: str
    config: dict[str, Any]

    def count(self) -> int:
        """Return how many copies of the prescription the peer holds."""

    def fail_after_commit(self) -> None:
        """Lose the answer of the next write after it was stored."""

    def refuse_next(self) -> None:
        """Refuse the content of the next write for good."""

    def go_down(self) -> None:
        """Stop answering."""

    def come_back(self) -> None:
        """Answer again."""

    def write_tries(self) -> int:
        """Return how many writes reached the peer."""


class FhirPeer:
    """The fake FHIR server."""

    name = "fhir_r4"

    def __init__(self, server: Any) -> None:
        self.server = server
        self.config = {"base_url": server.url}

    def count(self) -> int:
        return max(self.server.count("DocumentReference"), self.server.count("MedicationRequest"))

    def fail_after_commit(self) -> None:
        self.server.faults.append("drop-after-commit")

    def refuse_next(self) -> None:
        self.server.faults.append("422")

    def go_down(self) -> None:
        self.server.read_faults.extend(["503"] * 50)

    def come_back(self) -> None:
        self.server.read_faults.clear()

    def write_tries(self) -> int:
        return len(self.server.writes())


class FolderPeer:
    """A folder; its faults are those of a network share."""

    name = "folder"

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.config = {"folder": str(folder)}
        self._replace = Path.replace
        self._tries = 0
        monkeypatch.setattr(Path, "replace", lambda source, target: self._counted(source, target))
        self._after_commit = False

    def _counted(self, source: Path, target: Path) -> Path:
        self._tries += target.suffix == ".json"
        moved = self._replace(source, target)
        if self._after_commit and target.suffix == ".json":
            self._after_commit = False
            raise OSError("the share answered with an error after the rename")
        return moved

    def count(self) -> int:
        return len(list(self.folder.glob("*.json")))

    def fail_after_commit(self) -> None:
        self._after_commit = True

    def refuse_next(self) -> None:
        name = f"{submission().key.file_stem}.json"
        (self.folder / name).write_text("another document")

    def go_down(self) -> None:
        self.folder.rename(self.folder.with_name("unmounted"))

    def come_back(self) -> None:
        self.folder.with_name("unmounted").rename(self.folder)

    def write_tries(self) -> int:
        return self._tries


@contextmanager
def peer_of(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    """Run the fake peer of the adapter ``name``."""
    if name == "fhir_r4":
        with fake_fhir_server() as server:
            yield FhirPeer(server)
    elif name == "folder":
        folder = tmp_path / "drop"
        folder.mkdir()
        yield FolderPeer(folder, monkeypatch)
    else:
        pytest.fail(f"The adapter {name} has no fake peer: give it one, the contract is for all.")
