"""One module per kind of EHR; importing this package registers them all."""

from . import fhir_r4, folder

__all__ = ["fhir_r4", "folder"]
