"""The sig grammar: written directions <-> structured dosages <-> plain language."""

from clinic_hwr.prescriptions.sig.parse import parse_sig
from clinic_hwr.prescriptions.sig.render import plain_language

__all__ = ["parse_sig", "plain_language"]
