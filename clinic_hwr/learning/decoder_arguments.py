"""Options of the commands that choose how a CTC layer is searched."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings

from clinic_hwr.recognition.decoding.choice import DECODERS, MODES, Decoding, choose_decoding


def add_decoder_arguments(parser: ArgumentParser) -> None:
    """Declare ``--decoder``, ``--dictionary`` and ``--word-mode``."""
    parser.add_argument("--decoder", choices=DECODERS, help="Search of a CTC layer.")
    parser.add_argument(
        "--dictionary", type=Path, help="Text file of words or lines, for --decoder word_beam."
    )
    parser.add_argument("--word-mode", choices=MODES, help="Of word_beam; default: words.")


def decoding_of(options: dict[str, Any]) -> Decoding:
    """Return the search that was asked for; with the site's reader else the site's.

    Raises:
        BadDecoding: the options do not fit together.
    """
    if options["decoder"] or options["dictionary"] or options["word_mode"]:
        return choose_decoding(options["decoder"], options["dictionary"], options["word_mode"])
    if options["arch"]:  # the site's search belongs to the site's reader
        return Decoding()
    names = ("CLINIC_HWR_DECODER", "CLINIC_HWR_DICTIONARY", "CLINIC_HWR_WORD_MODE")
    return choose_decoding(*(getattr(settings, name, "") for name in names))
