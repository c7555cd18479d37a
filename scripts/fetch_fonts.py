"""Fetch free fonts by npm for the training of the line segmenter: handwriting, or faces of print.

    python scripts/fetch_fonts.py hand FOLDER
    python scripts/fetch_fonts.py print FOLDER

Each family of ``fonts.toml`` is the npm package @fontsource/NAME; its licence lies beside its
files. Only Latin letters, as .woff: the regular weight of handwriting, of print the bold one too.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tomllib
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory

WEIGHTS = {"hand": (400,), "print": (400, 700)}


def fetch(family: str, weights: tuple[int, ...], folder: Path) -> int:
    """Put the fonts of a family into a folder; returns how many there are."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is not installed. Install it with 'apt-get install npm'.")
    with TemporaryDirectory() as scratch:
        packed = subprocess.run(  # noqa: S603 - a fixed command with names from above
            [npm, "pack", f"@fontsource/{family}", "--silent"],
            cwd=scratch, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if packed.returncode:
            print(f"{family}: npm has no such package", file=sys.stderr)
            return 0
        found = 0
        with tarfile.open(Path(scratch) / packed.stdout.split()[-1]) as archive:
            wanted = {f"package/files/{family}-latin-{weight}-normal.woff" for weight in weights}
            for member in archive.getmembers():
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is not None and member.name in wanted:
                    (folder / Path(member.name).name).write_bytes(stream.read())
                    found += 1
                elif stream is not None and member.name == "package/LICENSE":
                    (folder / f"{family}-LICENSE.txt").write_bytes(stream.read())
    return found


def main() -> None:
    """Fetch all families of a kind."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=sorted(WEIGHTS))
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    names = tomllib.loads(Path(__file__).with_name("fonts.toml").read_text(encoding="utf-8"))
    families = names[options.kind].split()
    files = sum(fetch(one, WEIGHTS[options.kind], options.folder) for one in families)
    print(f"{options.folder}: {files} fonts of {len(families)} families")


if __name__ == "__main__":
    main()
