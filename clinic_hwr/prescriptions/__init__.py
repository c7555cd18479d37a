"""Readings in, a typed, explained and checked prescription out. Pure: no Django, no files written.

The lexicon and the parser are loaded at the first use, not at import.
"""

from clinic_hwr.prescriptions.interpretation import interpret

__all__ = ["interpret"]
