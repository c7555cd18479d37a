"""Certified thresholds of a site: which are in force, and how new ones come into force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.services import audit_record

from .models import Threshold
from .policy import DEFAULT_POLICY, Certificate, KindPolicy


@dataclass(frozen=True, slots=True)
class KindResult:
    """What the outcomes of one kind and model amount to; ``certificate`` None: not enough."""

    kind: str
    model: str
    outcomes: int
    errors: int
    certificate: Certificate | None


class SitePolicy:
    """The thresholds in force at one site, read once (one query)."""

    def __init__(self, site: Site) -> None:
        self._rules: dict[tuple[str, str], KindPolicy] = {}
        self._since: dict[tuple[str, str], datetime] = {}
        for row in Threshold.objects.filter(site=site).order_by("id"):
            key = (row.kind, row.model)
            self._rules[key] = KindPolicy(row.value, certified=row.value is not None)
            if row.value is not None:
                self._since.setdefault(key, row.created_at)

    def of(self, kind: str, model: str) -> Mapping[str, KindPolicy]:
        """Return the policy for a field of ``kind`` that ``model`` read."""
        return {**DEFAULT_POLICY, kind: self._rules.get((kind, model), KindPolicy(None))}

    def since(self, kind: str, model: str) -> datetime | None:
        """Return when the first threshold of a kind and model came into force, or None."""
        return self._since.get((kind, model))


@transaction.atomic
def thresholds_certify(
    *, site: Site, results: Sequence[KindResult], alpha: float, confidence: float, actor_name: str
) -> list[Threshold]:
    """Put the results of a certification into force, one row a kind and model, and audit it."""
    rows = []
    for result in results:
        found = result.certificate
        rows.append(
            Threshold.objects.create(
                site=site,
                kind=result.kind,
                model=result.model,
                value=found.threshold if found else None,
                alpha=alpha,
                confidence=confidence,
                outcomes=result.outcomes,
                accepted=found.accepted if found else 0,
                errors=found.errors if found else 0,
                bound=found.bound if found else 1.0,
            )
        )
    audit_record(
        action="routing.certified",
        site=site,
        object_type="site",
        object_id=site.pk,
        actor_name=actor_name,
        data={
            "alpha": alpha,
            "confidence": confidence,
            "thresholds": [
                {"kind": row.kind, "model": row.model, "value": row.value} for row in rows
            ],
        },
    )
    return rows
