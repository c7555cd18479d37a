"""Requests that schemathesis makes from an OpenAPI schema, sent to a live server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CONFORMANCE = (content_type_conformance, response_schema_conformance, status_code_conformance)


def send_all(
    schema: dict[str, Any],
    *,
    url: str,
    headers: dict[str, str],
    change: Callable[[Any], None],
    examples: int,
    conformance: bool,
) -> dict[str, set[int]]:
    """Send ``examples`` requests to every operation; returns the statuses each answered.

    ``change`` makes a generated case meet what is stored (real ids, say).

    Raises:
        Failures of schemathesis: a 5xx, or an answer that the schema does not allow.
    """
    seen: dict[str, set[int]] = {}
    checks = [not_a_server_error, *(CONFORMANCE if conformance else ())]
    for result in schemathesis.openapi.from_dict(schema).get_all_operations():
        operation = result.ok()
        seen[operation.label] = _send_one(operation, url, headers, change, examples, checks)
    return seen


def _send_one(
    operation: Any,
    url: str,
    headers: dict[str, str],
    change: Callable[[Any], None],
    examples: int,
    checks: list[Any],
) -> set[int]:
    statuses: set[int] = set()

    @given(case=operation.as_strategy())
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,  # the same requests each time: a failure is a change of ours
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def send(case: Any) -> None:
        change(case)
        response = case.call(base_url=url, headers=headers, timeout=30)
        statuses.add(response.status_code)
        case.validate_response(response, checks=checks)

    send()
    return statuses
