"""Which drug lexicon a site reads with: the packaged one or a newer release, and its formulary."""

from __future__ import annotations

import logging
from pathlib import Path

from django.conf import settings

from clinic_hwr.prescriptions.drug_lexicon import DrugLexicon
from clinic_hwr.prescriptions.formulary import FormularyError, read_formulary
from clinic_hwr.prescriptions.lexicon import load_lexicon

logger = logging.getLogger(__name__)


def lexicon_folder() -> Path | None:
    """Return the folder for a loaded RxNorm release, whether or not one is there yet."""
    return _folder("CLINIC_HWR_LEXICON")


def _folder(setting: str) -> Path | None:
    path = str(getattr(settings, setting, ""))  # a host project may know nothing of it
    return Path(path) if path else None


def site_lexicon(slug: str = "") -> DrugLexicon:
    """Return the lexicon of a site; loaded again when one of its files has changed.

    Args:
        slug: the site's slug. ``SLUG.csv`` in the folder of formularies counts for it, else
            ``default.csv``, else none.

    Raises:
        FormularyError: its formulary cannot be read.
    """
    return load_lexicon(_loaded(), site_formulary(slug))


def _loaded() -> Path | None:
    """Return the folder of the release that was loaded, or None for the packaged tables."""
    folder = lexicon_folder()
    return folder if folder is not None and (folder / "drugs.tsv.gz").is_file() else None


def working_lexicon(slug: str = "") -> DrugLexicon:
    """Return the lexicon of a site for reading scans, whatever state its formulary is in.

    A formulary that cannot be read stops no scan: its names are unknown drugs until it is mended, a
    person sees them, the log and ``manage.py check`` say so.
    """
    try:
        return site_lexicon(slug)
    except FormularyError:
        logger.error("formulary.unreadable site=%s", slug)
        return load_lexicon(_loaded(), None)


def unreadable_formularies() -> list[str]:
    """Return one sentence for every formulary that cannot be read."""
    folder = _folder("CLINIC_HWR_FORMULARIES")
    problems = []
    for path in sorted(folder.glob("*.csv")) if folder is not None and folder.is_dir() else ():
        try:
            read_formulary(path)
        except (FormularyError, OSError) as error:
            problems.append(str(error))
    return problems


def site_formulary(slug: str) -> Path | None:
    """Return the formulary file of a site, or None."""
    folder = _folder("CLINIC_HWR_FORMULARIES")
    if folder is None:
        return None
    names = [slug, "default"] if slug and "/" not in slug and slug != ".." else ["default"]
    return next((path for name in names if (path := folder / f"{name}.csv").is_file()), None)


def site_country() -> str | None:
    """Return the country whose language and abbreviations the installation reads, or None."""
    return str(getattr(settings, "CLINIC_HWR_COUNTRY", "")).upper() or None
