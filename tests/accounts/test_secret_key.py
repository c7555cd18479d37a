"""The secret key is made once, however many processes start first."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

from clinic_hwr.accounts.secret_key import secret_key_from_file


def test_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"

    first = secret_key_from_file(path)

    assert len(first) >= 50
    assert secret_key_from_file(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret_key"]


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    for round_number in range(20):
        path = tmp_path / f"key{round_number}"
        start = threading.Barrier(8)
        seen: list[str] = []

        def boot(path: Path = path, start: threading.Barrier = start, seen: list = seen) -> None:
            start.wait()
            seen.append(secret_key_from_file(path))

        threads = [threading.Thread(target=boot) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(seen) == 8
        assert set(seen) == {path.read_text()}
