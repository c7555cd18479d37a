"""``manage.py certify``: which thresholds a site's own decisions prove, as a table."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic_hwr.accounts.models import Site
from clinic_hwr.intake.management.shared import site_named
from clinic_hwr.review.services.outcomes import labelled_outcomes
from clinic_hwr.routing.policy import CRITICAL_KINDS, certified_threshold, samples_needed
from clinic_hwr.routing.thresholds import KindResult, thresholds_certify

_HEAD = (
    "kind", "model", "labelled", "wrong", "threshold", "accepted", "wrong", "bound", "coverage",
    "what it means",
)  # fmt: skip
NOBODY = (
    "No field of this site was decided by a person yet: nothing is proved, and everything goes to "
    "a person."
)


class Command(BaseCommand):
    """Find certified thresholds from labelled outcomes."""

    help = (
        "Print, for every kind of field and model, the lowest threshold whose error rate is at "
        "most ALPHA with the given confidence, from what people decided at this site (exact "
        "binomial bound, fixed sequence testing). --apply puts the result into force."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--site", default="", help="slug of the site")
        parser.add_argument("--alpha", type=float, default=0.01, help="accepted error rate")
        parser.add_argument("--confidence", type=float, default=0.95)
        parser.add_argument("--apply", action="store_true", help="put the thresholds into force")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, print, and store when asked to."""
        alpha, confidence = float(options["alpha"]), float(options["confidence"])
        if not 0 < alpha < 1 or not 0 < confidence < 1:
            raise CommandError("--alpha and --confidence are shares between 0 and 1.")
        site = site_named(options["site"])
        results = certify_site(site, alpha, confidence)
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(site, results, alpha, confidence)))
        else:
            self._table(site, results, alpha, confidence)
        if options["apply"]:
            thresholds_certify(
                site=site,
                results=results,
                alpha=alpha,
                confidence=confidence,
                actor_name="manage.py certify",
            )
            if not options["json"]:
                self.stdout.write("In force from now on.")

    def _table(
        self, site: Site, results: list[KindResult], alpha: float, confidence: float
    ) -> None:
        self.stdout.write(
            f"Site {site.slug}: error among accepted fields at most {alpha:.2%} at "
            f"{confidence:.0%} confidence, each kind and model by itself. This needs "
            f"{samples_needed(0, alpha, confidence)} accepted fields without an error, "
            f"{samples_needed(1, alpha, confidence)} with one."
        )
        if not results:
            self.stdout.write(NOBODY)
            return
        rows = [_HEAD, *(_row(result, alpha, confidence) for result in results)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())
        self.stdout.write(
            "The statement holds for fields like these: the same site, model and way of working. "
            "People saw the machine's value when they decided: what they overlooked counts as "
            "right."
        )


def certify_site(site: Site, alpha: float, confidence: float) -> list[KindResult]:
    """Certify every kind and model that people have decided fields of."""
    return [
        KindResult(
            kind=kind,
            model=model,
            outcomes=len(outcomes),
            errors=sum(not right for _, right in outcomes),
            certificate=certified_threshold(outcomes, alpha, confidence),
        )
        for (kind, model), outcomes in sorted(labelled_outcomes(site).items())
    ]


def meaning(result: KindResult, alpha: float, confidence: float) -> str:
    """Say in words what a result means for the next field."""
    if result.kind in CRITICAL_KINDS:
        return "always a person, whatever is proved"
    if result.certificate is not None:
        return f"accepted from {result.certificate.threshold:g}"
    least = samples_needed(0, alpha, confidence)
    if result.outcomes < least:
        return f"everything to a person: {result.outcomes} of at least {least} outcomes"
    return "everything to a person: no threshold keeps the error rate"


def _row(result: KindResult, alpha: float, confidence: float) -> tuple[str, ...]:
    found = result.certificate
    proved = (
        (f"{found.threshold:g}", str(found.accepted), str(found.errors), f"{found.bound:.3%}",
         f"{found.coverage:.1%}")
        if found else ("none", "-", "-", "-", "-")
    )  # fmt: skip
    counts = (result.kind, result.model, str(result.outcomes), str(result.errors))
    return (*counts, *proved, meaning(result, alpha, confidence))


def _as_json(
    site: Site, results: list[KindResult], alpha: float, confidence: float
) -> dict[str, Any]:
    return {
        "site": site.slug,
        "alpha": alpha,
        "confidence": confidence,
        "needed_without_error": samples_needed(0, alpha, confidence),
        "kinds": [
            {
                "kind": r.kind,
                "model": r.model,
                "outcomes": r.outcomes,
                "errors": r.errors,
                "threshold": r.certificate.threshold if r.certificate else None,
                "accepted": r.certificate.accepted if r.certificate else 0,
                "accepted_errors": r.certificate.errors if r.certificate else 0,
                "bound": r.certificate.bound if r.certificate else None,
                "coverage": r.certificate.coverage if r.certificate else 0.0,
                "meaning": meaning(r, alpha, confidence),
            }
            for r in results
        ],
    }
