"""Reads scanned handwritten prescriptions, asks a clinician when unsure, and writes FHIR."""

__version__ = "0.1.0"
