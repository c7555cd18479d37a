"""The registry of blockers: named safety checks, each a function from context to blockers.

A check yields ``Finding`` values; the registry adds the code and settles the severity:

- A finding is a **stop** only while somebody can still decide on it: its field is on the paper and
  nobody has decided it yet.
- A human decision on that field turns it into a **warn**, to be acknowledged at release.
- A finding about something that is not on the paper at all is a **warn** from the start: there is
  no field on which a stop could ever be resolved.
- ``lasting`` findings stay a stop after a decision; only another decision resolves them (a drug,
  strength or sig that a person marked illegible).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from clinic_hwr.prescriptions.checks.context import CheckContext
from clinic_hwr.prescriptions.types import Blocker, FieldValue


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: one sentence that names what to check, and the field it is about.

    ``field_name`` "" means the whole prescription; ``severity`` is the most it can be; ``scan_id``
    names another scan to compare with. ``field_id`` is the one field that is meant where several
    have that name and number; "" means all of them.
    """

    message: str
    field_name: str = ""
    group: int = 0
    severity: str = "stop"
    lasting: bool = False
    scan_id: str = ""
    field_id: str = ""


def finding_about(value: FieldValue, message: str, *, lasting: bool = False) -> Finding:
    """Return a finding about one field, and no other of its name and number."""
    return Finding(message, value.name, value.group, lasting=lasting, field_id=value.field_id)


Check = Callable[[CheckContext], Iterator[Finding]]

_CHECKS: dict[str, Check] = {}


class UnknownBlockerError(KeyError):
    """No blocker has this name; the message lists those that exist."""

    def __str__(self) -> str:
        return str(self.args[0])


def blocker(code: str) -> Callable[[Check], Check]:
    """Register a check under its code.

    Raises:
        ValueError: the code is taken.
    """

    def register(check: Check) -> Check:
        if code in _CHECKS:
            raise ValueError(f"blocker {code!r} is registered twice")
        _CHECKS[code] = check
        return check

    return register


def blocker_codes() -> tuple[str, ...]:
    """Return every registered code, sorted."""
    return tuple(sorted(_CHECKS))


def blocker_explanation(code: str) -> str:
    """Return the one sentence that says when a blocker is raised.

    Raises:
        UnknownBlockerError: ``code`` is not registered.
    """
    return " ".join((_check(code).__doc__ or "").split())


def _check(code: str) -> Check:
    check = _CHECKS.get(code)
    if check is None:
        names = ", ".join(blocker_codes())
        raise UnknownBlockerError(f"unknown blocker {code!r}; valid names: {names}")
    return check


def run_check(code: str, context: CheckContext) -> tuple[Blocker, ...]:
    """Run one check.

    Raises:
        UnknownBlockerError: ``code`` is not registered.
    """
    return tuple(_settle(code, finding, context) for finding in _check(code)(context))


def run_checks(context: CheckContext) -> tuple[Blocker, ...]:
    """Run all checks; stops first, then by group and code. Equal findings are reported once."""
    found = {b for code in _CHECKS for b in run_check(code, context)}
    return tuple(
        sorted(
            found,
            key=lambda b: (
                b.severity != "stop",
                b.group,
                b.field_name,
                b.code,
                b.message,
                b.field_id,
            ),
        )
    )


def _settle(code: str, finding: Finding, context: CheckContext) -> Blocker:
    fields = context.fields(finding.field_name, finding.group)
    meant = [v for v in fields if finding.field_id in ("", v.field_id)]
    open_fields = [value for value in meant if not value.human]
    severity = finding.severity
    if not finding.lasting and not open_fields:
        severity = "warn"
    return Blocker(
        code, finding.message, finding.field_name, finding.group, severity, finding.scan_id,
        finding.field_id,
    )  # fmt: skip
