"""OperationOutcome: how every FHIR route and check says what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .primitives import compact


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong.

    Attributes:
        code: of the R4 value set issue-type, e.g. ``structure``, ``code-invalid``, ``not-found``.
        diagnostics: what and what to do; never a patient's data.
        expression: a FHIRPath to the element, "" when there is none.
        severity: fatal | error | warning | information.
    """

    code: str
    diagnostics: str
    expression: str = ""
    severity: str = "error"


def operation_outcome(issues: Sequence[Issue]) -> dict[str, Any]:
    """Return the OperationOutcome of ``issues`` (at least one)."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            compact(
                {
                    "severity": issue.severity,
                    "code": issue.code,
                    "diagnostics": issue.diagnostics,
                    "expression": [issue.expression] if issue.expression else None,
                }
            )
            for issue in issues
        ],
    }


class Refused(Exception):
    """A request that is not carried out; nothing was changed.

    Attributes:
        status: of HTTP.
        issues: why, free of patient data.
    """

    def __init__(self, status: int, *issues: Issue) -> None:
        self.status = status
        self.issues = issues
        super().__init__("; ".join(issue.diagnostics for issue in issues))


class FhirInvalid(ValueError):
    """A resource broke the standard or a rule of ours; nothing of it was stored or sent.

    Attributes:
        issues: what is wrong, free of patient data.
    """

    def __init__(self, issues: Sequence[Issue]) -> None:
        self.issues = tuple(issues)
        lines = "; ".join(f"{issue.expression}: {issue.diagnostics}" for issue in self.issues[:5])
        super().__init__(f"{len(self.issues)} issue(s) in what would be published: {lines}")

    def operation_outcome(self) -> dict[str, Any]:
        """Return the same as a FHIR resource."""
        return operation_outcome(self.issues)
