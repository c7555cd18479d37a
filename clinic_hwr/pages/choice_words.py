"""What printed choices stand for, by the field they answer, in the languages of the labels."""

from __future__ import annotations

from collections.abc import Mapping

_YES = {"yes": "Yes", "y": "Yes", "si": "Yes", "oui": "Yes", "ja": "Yes"}
_NO = {"no": "No", "n": "No", "non": "No", "nein": "No"}
YES_NO: Mapping[str, str] = _YES | _NO

# Single letters mean what their row and its label say: see ``choice_sexes``.
SEXES: Mapping[str, str] = {
    "m": "M", "f": "F", "male": "Male", "female": "Female", "x": "X", "other": "Other",
    "masculino": "Male", "femenino": "Female", "masculin": "Male", "feminin": "Female",
    "hombre": "Male", "mujer": "Female", "homme": "Male", "femme": "Female",
    "mannlich": "Male", "weiblich": "Female", "maennlich": "Male", "divers": "Other",
    "h": "H", "w": "W", "d": "D",
}  # fmt: skip
REFILLS: Mapping[str, str] = {
    **{str(number): str(number) for number in range(13)},
    "nr": "NR", "prn": "PRN", "none": "0", "o": "0", "no refills": "NR",
}  # fmt: skip
DAYTIMES: Mapping[str, str] = {
    "am": "AM", "pm": "PM", "noon": "Noon", "hs": "HS", "bedtime": "Bedtime", "morning": "Morning",
    "evening": "Evening",
}  # fmt: skip

UNASKED: Mapping[str, Mapping[str, str]] = {
    "patient_sex": {key: value for key, value in SEXES.items() if value in ("Male", "Female")},
    "unnamed": DAYTIMES,
}
"""Choices that need no label: what they are is plain. Times of day have no field of their own."""


def options_of(field: str) -> Mapping[str, str]:
    """Return the choices that may answer a label: normalised word -> value; {} for none."""
    if field == "refills":
        return REFILLS
    if field == "patient_sex":
        return SEXES
    if field in ("substitution", "allergies"):
        return YES_NO
    return {}
