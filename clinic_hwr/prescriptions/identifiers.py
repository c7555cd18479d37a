"""Check digits: NPI (Luhn with the US issuer prefix), DEA numbers, SNOMED CT (Verhoeff)."""

from __future__ import annotations

import re

# 80840 names the US health industry in an ISO 7812 card number; an NPI is the rest of it.
_NPI_PREFIX = "80840"

# First letters that the DEA has given out: practitioners, mid-level, distributors and others.
_DEA_FIRST = "ABCDEFGHJKLMPRSTUX"

_VERHOEFF_MULTIPLY = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_PERMUTE = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def luhn_valid(digits: str) -> bool:
    """Whether a digit string ends in its Luhn check digit (ISO/IEC 7812)."""
    total = 0
    for index, char in enumerate(reversed(digits)):
        number = int(char)
        if index % 2:
            number = number * 2 - 9 if number > 4 else number * 2
        total += number
    return total % 10 == 0


def npi_of(text: str) -> str:
    """Return the characters of a written NPI without label, blanks and hyphens."""
    return re.sub(r"[\s.-]", "", re.sub(r"^\s*NPI\s*#?\s*:?", "", text, flags=re.IGNORECASE))


def npi_valid(npi: str) -> bool:
    """Whether ten ASCII digits are a possible NPI: starts with 1 or 2, check digit right."""
    return bool(re.fullmatch(r"[12][0-9]{9}", npi)) and luhn_valid(_NPI_PREFIX + npi)


def dea_of(text: str) -> str:
    """Return the characters of a written DEA number, upper case, without label and blanks."""
    body = re.sub(r"^\s*DEA\s*(?:no\.?|#)?\s*:?", "", text, flags=re.IGNORECASE)
    return re.sub(r"[\s.-]", "", body).upper()


def dea_valid(dea: str) -> bool:
    """Whether a DEA number has its form (2 letters, or letter and 9, and 7 digits) and check digit.

    The last digit is that of (d1 + d3 + d5) + 2 x (d2 + d4 + d6).
    """
    if not re.fullmatch(rf"[{_DEA_FIRST}][A-Z9][0-9]{{7}}", dea):
        return False
    d = [int(char) for char in dea[2:]]
    return (d[0] + d[2] + d[4] + 2 * (d[1] + d[3] + d[5])) % 10 == d[6]


def snomed_valid(code: str) -> bool:
    """Whether a SNOMED CT identifier ends in its Verhoeff check digit."""
    if not re.fullmatch(r"[1-9][0-9]{5,17}", code):
        return False
    check = 0
    for index, char in enumerate(reversed(code)):
        permuted = int(_VERHOEFF_PERMUTE[index % 8][int(char)])
        check = int(_VERHOEFF_MULTIPLY[check][permuted])
    return check == 0
