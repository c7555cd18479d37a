"""Sending a hostile file through every front door of the product, and what must then be true."""

from __future__ import annotations

import io
import mailbox
import resource
import time
from dataclasses import dataclass
from email.message import Message
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from http import HTTPStatus
from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from clinic_hwr import pipeline
from clinic_hwr.accounts.models import Membership, Role, Site
from clinic_hwr.intake.mail_drop import MailDrop
from clinic_hwr.intake.models import Scan, StageRun
from clinic_hwr.intake.services import scan_receive
from clinic_hwr.intake.states import ScanState
from clinic_hwr.intake.watching import FolderWatch

from . import HostileFile

DOORS = ("services", "rest", "web", "folder", "mail")

PAST_INTAKE = frozenset({ScanState.RECEIVED, ScanState.PAGED, ScanState.SPLIT})
SET_ASIDE = frozenset({ScanState.QUARANTINED, ScanState.REJECTED})


class Broken(AssertionError):
    """The product did what it must never do with a stranger's file."""


@dataclass(frozen=True)
class Verdict:
    """What became of one file.

    Attributes:
        outcome: ``read``, or ``refused: CODE``.
        seconds: wall time from its arrival until it was read or refused.
        child_mb: peak resident size of any child process up to now.
        parent_mb: peak resident size of this process while it had the file.
    """

    outcome: str
    seconds: float
    child_mb: int
    parent_mb: int


class House:
    """A site with its people and folders, one a door, so that no file meets a copy of itself."""

    def __init__(self, folder: Path, door: str) -> None:
        self.door = door
        self.site = Site.objects.create(name=door, slug=f"hostile-{door}")
        self.user = get_user_model().objects.create_user(username=f"hostile-{door}")
        Membership.objects.create(user=self.user, site=self.site, role=Role.CLINICIAN)
        self.folder = folder / door
        self.folder.mkdir(parents=True)
        self._api = APIClient()
        self._api.force_authenticate(self.user)
        self._web = Client()
        self._web.force_login(self.user)
        self._watch = FolderWatch(self.folder / "drop", site=self.site, settle_s=0.0)
        mailbox.Maildir(self.folder / "mail", create=True)
        self._mail = MailDrop(self.folder / "mail", site=self.site)

    def send(self, file: HostileFile, data: bytes) -> list[Scan]:
        """Send a file through the door; returns the scans that it became.

        None at all when the sender was told so: a name of thousands of letters makes no form that
        can be read (400).

        Raises:
            Broken: the door answered with a server error, or lost the file.
        """
        before = set(Scan.objects.filter(site=self.site).values_list("pk", flat=True))
        told = getattr(self, f"_by_{self.door}")(file, data)
        scans = list(Scan.objects.filter(site=self.site).exclude(pk__in=before))
        if not scans and told != HTTPStatus.BAD_REQUEST:
            raise Broken(f"{file.label}: nothing was kept")
        return scans

    def _by_services(self, file: HostileFile, data: bytes) -> None:
        scan_receive(site=self.site, data=data, original_name=file.name, source="cli")

    def _by_rest(self, file: HostileFile, data: bytes) -> int:
        upload = {"file": [_upload(file, data)]}
        answer = self._api.post("/api/scans/", upload, format="multipart")
        return _clear_answer(file, answer.status_code)

    def _by_web(self, file: HostileFile, data: bytes) -> int:
        upload = {"file": [_upload(file, data)]}
        json = {"Accept": "application/json"}
        answer = self._web.post("/scans/upload/", upload, headers=json)
        return _clear_answer(file, answer.status_code)

    def _by_folder(self, file: HostileFile, data: bytes) -> None:
        name = _file_name(file.name)
        (self.folder / "drop" / name).write_bytes(data)
        self._watch.sweep()
        if (self.folder / "drop" / name).exists():
            raise Broken(f"{file.label}: left in the watched folder")

    def _by_mail(self, file: HostileFile, data: bytes) -> None:
        message = MIMEMultipart()
        message["From"] = "fax@gateway.example"
        message["Message-ID"] = f"<{abs(hash(file.label))}@gateway.example>"
        part: Message = MIMEApplication(data)
        part.add_header("Content-Disposition", "attachment", filename=_file_name(file.name))
        message.attach(part)
        (self.folder / "mail" / "new" / "1.message").write_bytes(message.as_bytes())
        self._mail.sweep()
        if list((self.folder / "mail" / "new").iterdir()):
            raise Broken(f"{file.label}: left in the Maildir")


def judge(house: House, file: HostileFile, *, read: bool) -> Verdict:
    """Send one file and, if asked, take it through the page stage.

    Raises:
        Broken: a server error, a lost file or worker, or a scan that is neither read nor refused.
    """
    data = file.make()
    _forget_peak()
    start = time.perf_counter()
    scans = house.send(file, data)
    for scan in scans:
        if read and scan.state == ScanState.RECEIVED:
            step = pipeline.advance(scan.pk, worker="hostile")
            if step.result != "done":
                raise Broken(f"{file.label}: the page stage ended as {step.result}")
            scan.refresh_from_db()
        if scan.state not in PAST_INTAKE | SET_ASIDE:
            raise Broken(f"{file.label}: stands in {scan.state}")
        if scan.state == ScanState.QUARANTINED and not (scan.problem_code and scan.problem):
            raise Broken(f"{file.label}: set aside without a reason")
    if StageRun.objects.filter(scan__in=scans).exclude(outcome="done").exists():
        raise Broken(f"{file.label}: a stage failed or was lost")
    return Verdict(_outcome(scans), time.perf_counter() - start, _child_mb(), _peak_mb())


def _outcome(scans: list[Scan]) -> str:
    if not scans:
        return "refused: 400"
    codes = {scan.problem_code for scan in scans if scan.state in SET_ASIDE}
    return f"refused: {', '.join(sorted(codes))}" if codes else "read"


def _clear_answer(file: HostileFile, status: int) -> int:
    if status not in {202, 400, 413}:
        raise Broken(f"{file.label}: answered {status}")
    return status


def _upload(file: HostileFile, data: bytes) -> SimpleUploadedFile:
    upload = SimpleUploadedFile("x", b"")
    upload.file = io.BytesIO(data)
    upload.size = len(data)
    upload._name = file.name  # as it came; the constructor would clean it
    return upload


def _file_name(name: str) -> str:
    """Return what a file system can hold of a name; hidden and unfinished names are left alone."""
    plain = "".join(c for c in name if c.isprintable() and c not in "/\\")[-200:]
    return f"f{plain}"


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak_mb() -> int:
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def _child_mb() -> int:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
