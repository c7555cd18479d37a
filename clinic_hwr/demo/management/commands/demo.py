"""``manage.py demo``: people and prescriptions for a first look."""

from __future__ import annotations

import hashlib
import logging
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from clinic_hwr import pipeline
from clinic_hwr.accounts.models import Role, Site
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.services import scan_receive
from clinic_hwr.intake.states import ScanState

from ...decisions import decide_from_truth, sign
from ...people import demo_accounts, demo_site, demo_user
from ...samples import SAMPLES, Sample

UNDECIDED = (ScanState.IN_REVIEW, ScanState.VERIFIED)


class Command(BaseCommand):
    """Makes what is missing of the demo; doing it again changes nothing."""

    help = "Make demo accounts and take three sample prescriptions through the pipeline."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the site, the people, and whatever is left to do with the samples."""
        site = demo_site()
        passwords = demo_accounts(site)
        if passwords:
            self.stdout.write("Demo accounts (the passwords are shown this once):")
            for name, password in passwords.items():
                self.stdout.write(f"  {name:<12} {password}")
            self.stdout.flush()
        todo = [sample for sample in SAMPLES if not _is_done(site, sample)]
        if not todo:
            return
        # The bar and log lines would overwrite each other; problems still come through.
        logging.getLogger("clinic_hwr").setLevel(logging.WARNING)
        with tqdm(todo, desc="Sample prescriptions", unit="scan", file=sys.stderr) as bar:
            for sample in bar:
                bar.set_postfix_str(sample.file_name)
                self._take(site, sample)
        for sample in SAMPLES:
            self._report(_scan_of(site, sample), sample)

    def _take(self, site: Site, sample: Sample) -> None:
        """Take one sample as far as it goes."""
        scan = _scan_of(site, sample) or scan_receive(
            site=site,
            data=sample.data(),
            original_name=sample.file_name,
            source="demo",
            user=demo_user(site, Role.CLINICIAN),
        )
        if scan.state in pipeline.STATES:
            pipeline.process(scan.pk, worker="demo")
            scan.refresh_from_db()
        if sample.ends != "released" or scan.state not in UNDECIDED:
            return
        clinician, pharmacist = demo_user(site, Role.CLINICIAN), demo_user(site, Role.PHARMACIST)
        if clinician is None or pharmacist is None:
            raise CommandError(
                f"{site} needs a clinician and a pharmacist to decide the sample prescription."
            )
        for person in (clinician, pharmacist):  # the second enters what takes two
            decide_from_truth(scan, sample.truths(), person)
        sign(scan, pharmacist)

    def _report(self, scan: Scan | None, sample: Sample) -> None:
        """Say where a sample stands, and fail when that is not where it should be."""
        if scan is None or scan.state != sample.ends:
            state = scan.state if scan else "missing"
            raise CommandError(
                f"{sample.file_name} is {state} instead of {sample.ends}. The log lines above "
                "name what failed; manage.py demo takes it up again."
            )
        reason = f": {scan.problem}" if scan.problem else ""
        self.stdout.write(f"  {sample.file_name:<26} {scan.get_state_display().lower()}{reason}")


def _scan_of(site: Site, sample: Sample) -> Scan | None:
    """Return the sample's scan, if it was received before."""
    sha256 = hashlib.sha256(sample.data()).hexdigest()
    return Scan.objects.filter(site=site, sha256=sha256, duplicate_of=None).first()


def _is_done(site: Site, sample: Sample) -> bool:
    """Tell whether nothing is left for the demo to do; what people did since is theirs."""
    scan = _scan_of(site, sample)
    if scan is None or scan.state in pipeline.STATES:
        return False
    return sample.ends != "released" or scan.state not in UNDECIDED
