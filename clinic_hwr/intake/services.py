"""Receiving files and moving scans from state to state."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from clinic_hwr.accounts.access import require
from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.services import audit_record

from .access import scan_get
from .batches import parse_rule
from .decoding import inspect_file
from .hints import hint_on_commit
from .models import Scan, ScanTransition
from .safety import FileRefused, Problem, check_claim, check_size, detect_type
from .states import TRANSITIONS, ScanState, TransitionRefused
from .storage import StoredBlob, blob_read, blob_write_stream

_REOPENED_BY_ANOTHER_COPY = frozenset(
    {Problem.TYPE_MISMATCH, Problem.PROCESSING_FAILED, Problem.NOT_INSTALLED}
)
"""Quarantines that the same bytes can leave: under a fitting name, or for another try."""


@dataclass(frozen=True, slots=True)
class _Finding:
    """What the safety checks say of one file; ``code`` is "" when it may be worked on."""

    content_type: str = ""
    page_count: int = 0
    code: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """Where a file came from besides its source.

    Attributes:
        name: who sent it where no account did: an e-mail address, the account of a command line.
        ref: where to look for more: the id of a message, a folder.
    """

    name: str = ""
    ref: str = ""


def scan_receive(*, site: Site, data: bytes, **facts: Any) -> Scan:
    """Keep a received file and, when it may be worked on, queue it; see ``scan_receive_file``."""
    return scan_receive_file(site=site, file=io.BytesIO(data), **facts)


def scan_receive_file(
    *,
    site: Site,
    file: IO[bytes],
    original_name: str,
    source: str,
    user: Any = None,
    sender: Sender = Sender(),
    split_rule: str = "",
    refusal: FileRefused | None = None,
) -> Scan:
    """Keep a received file and, when it may be worked on, queue it.

    The bytes are stored first and whatever they are, a chunk at a time. A file that fails the
    safety checks becomes a quarantined scan. The bytes of an earlier scan of the same site
    become a rejected scan whose ``duplicate_of`` names that one.

    Args:
        site: where it came in.
        file: the bytes, read from the present position on.
        original_name: the sender's name for it; shown to people, never used as a path.
        source: web, api, folder, mail, cli or demo.
        user: the person sending it, None for folders, mail and the command line.
        sender: where it came from, where no account says so.
        split_rule: where a new prescription begins in it (``batches.parse_rule``); "" leaves it
            to the site.
        refusal: why it cannot be worked on, where the caller knows already.

    Raises:
        PermissionDenied: ``user`` may not upload at ``site``.
        BadRule: there is no such ``split_rule``.

    Audit: ``scan.received``, or ``scan.duplicate``; ``scan.quarantined`` with either.
    """
    if user is not None:
        require(user, site, "scan.upload")
    parse_rule(split_rule)
    blob = blob_write_stream(file)
    name = _clean_name(original_name)
    # Checked outside of the transaction: starting the decoder under a write lock would hold
    # up every other writer of an SQLite database.
    if refusal is None:
        finding = _check(blob, name)
    else:
        finding = _Finding("", 0, refusal.code, refusal.problem)
    scan = Scan(
        site=site,
        sha256=blob.sha256,
        original_name=name,
        content_type=finding.content_type,
        size_bytes=blob.size_bytes,
        source=source,
        sent_by=_one_line(sender.name),
        source_ref=_one_line(sender.ref),
        split_rule=split_rule.strip(),
        uploaded_by=user,
        page_count=finding.page_count,
    )
    with transaction.atomic():
        original = _original(site, blob.sha256)
        if original is None:
            try:
                with transaction.atomic():
                    scan.save(force_insert=True)
            except IntegrityError:  # the same bytes won the race in another process
                original = _original(site, blob.sha256)
                if original is None:
                    raise
        if original is not None:
            return _keep_duplicate(scan, original, finding)
        _begin(scan, "scan.received", user)
        if finding.code:
            return _quarantine(scan, finding)
        hint_on_commit(scan.pk)
    return scan


def scan_transition(
    *, scan: Scan, to: str, reason: str = "", problem_code: str = "", problem: str = ""
) -> Scan:
    """Move a scan to state ``to`` and append the step; returns the row as stored.

    Locks the row, frees any worker's claim and starts the count of attempts anew. The problem
    is replaced too, so it stands empty once a scan has left quarantine.

    Raises:
        TransitionRefused: ``TRANSITIONS`` does not lead from the stored state to ``to``.
    """
    with transaction.atomic():
        locked = Scan.objects.select_for_update(of=("self",)).get(pk=scan.pk)
        present, target = ScanState(locked.state), ScanState(to)
        if target not in TRANSITIONS[present]:
            raise TransitionRefused(
                f"A scan cannot go from {present.label!r} to {target.label!r}; "
                "reload it to see where it stands."
            )
        locked.state = target
        locked.problem_code = problem_code
        locked.problem = problem
        locked.state_changed_at = timezone.now()
        locked.attempts = 0
        locked.claimed_by = ""
        locked.claim_expires_at = None
        locked.save()
        ScanTransition.objects.create(
            scan=locked, from_state=present, to_state=target, reason=reason
        )
    scan.refresh_from_db()
    return scan


def scan_quarantine(*, scan: Scan, code: str, problem: str) -> Scan:
    """Put a scan aside with one sentence for people. Audit: ``scan.quarantined``."""
    with transaction.atomic():
        scan_transition(
            scan=scan,
            to=ScanState.QUARANTINED,
            reason=code,
            problem_code=code,
            problem=problem,
        )
        scan_audit("scan.quarantined", scan, None, {"code": code})
    return scan


def scan_retry(*, user: Any, scan_id: UUID) -> Scan:
    """Send a quarantined scan back for another try, from the first stage on.

    The safety checks come first: what they still refuse stays where it is.

    Raises:
        Http404: no such scan, or not one of the person's sites.
        PermissionDenied: ``user`` is no administrator of the scan's site.
        TransitionRefused: the scan is not quarantined, or only a copy of another.
        FileRefused: the file still cannot be worked on; the scan is as it was.

    Audit: ``scan.retried``.
    """
    scan = scan_get(user, scan_id, "scan.status")
    require(user, scan.site, "scan.retry")
    if scan.duplicate_of_id is not None:
        raise TransitionRefused("This is a copy of another scan; send the first one back instead.")
    if scan.state != ScanState.QUARANTINED:
        raise TransitionRefused(
            f"Only a quarantined scan can be sent back; this one is {scan.get_state_display()!r}."
        )
    # Outside of the transaction, as in scan_receive_file.
    finding = _check(StoredBlob(scan.sha256, scan.size_bytes), scan.original_name)
    if finding.code:
        raise FileRefused(Problem(finding.code), finding.problem)
    with transaction.atomic():
        code = scan.problem_code
        scan = scan_transition(scan=scan, to=ScanState.RECEIVED, reason="sent back by a person")
        scan.content_type = finding.content_type
        scan.page_count = len(scan.parent_pages) or finding.page_count
        scan.save(update_fields=["content_type", "page_count"])
        scan_audit("scan.retried", scan, user, {"code": code})
        hint_on_commit(scan.pk)
    return scan


def upload_refuse(*, site: Site, user: Any, size_bytes: int, upload_id: UUID) -> None:
    """Record an upload that was refused unread because of its size. Audit: as quarantined."""
    require(user, site, "scan.upload")
    audit_record(
        action="scan.quarantined",
        site=site,
        object_type="upload",
        object_id=upload_id,
        actor=user,
        data={"code": str(Problem.TOO_LARGE), "size_bytes": size_bytes},
    )


def _check(blob: StoredBlob, name: str) -> _Finding:
    """Run the safety checks in order of cost; an over-size file is never read into memory."""
    mime = ""
    try:
        check_size(blob.size_bytes)
        data = blob_read(blob.sha256, verify=False)
        found = detect_type(data)
        mime = found.mime
        check_claim(name, found)
        inspection = inspect_file(data)
    except FileRefused as refusal:
        return _Finding(mime, 0, refusal.code, refusal.problem)
    return _Finding(mime, len(inspection.sizes_px))


def _clean_name(name: str) -> str:
    """Return the last part of a sender's path, printable and at most 255 characters."""
    return _one_line(PurePosixPath(name.replace("\\", "/")).name)


def _one_line(text: str) -> str:
    """Return what can be stored and shown of a stranger's text: printable, the last 255."""
    return "".join(c for c in text if c.isprintable())[-255:]


def _original(site: Site, sha256: str) -> Scan | None:
    originals = Scan.objects.filter(site=site, sha256=sha256, duplicate_of__isnull=True)
    return originals.filter(parent__isnull=True).first()


def _begin(scan: Scan, action: str, user: Any, **data: str) -> None:
    """Append the first step and the audit event of a new row."""
    ScanTransition.objects.create(scan=scan, from_state="", to_state=ScanState.RECEIVED)
    facts = {"sha256": scan.sha256, "size_bytes": scan.size_bytes, "source": scan.source, **data}
    scan_audit(action, scan, user, {"content_type": scan.content_type, **facts})


def _keep_duplicate(scan: Scan, original: Scan, finding: _Finding) -> Scan:
    """Store ``scan`` as a copy of ``original``, which may get another chance through it."""
    scan.duplicate_of = original
    scan.save(force_insert=True)
    _begin(scan, "scan.duplicate", scan.uploaded_by, duplicate_of=str(original.pk))
    if finding.code:
        return _quarantine(scan, finding)
    scan_transition(
        scan=scan,
        to=ScanState.REJECTED,
        reason=f"same bytes as scan {original.pk}",
        problem_code=Problem.DUPLICATE,
        problem="This file was already received; the first copy is the one that is worked on.",
    )
    original = Scan.objects.select_for_update(of=("self",)).get(pk=original.pk)
    if _gets_another_chance(original):
        Scan.objects.filter(pk=original.pk).update(
            content_type=scan.content_type,
            page_count=scan.page_count,
            split_rule=scan.split_rule,
        )
        scan_transition(scan=original, to=ScanState.RECEIVED, reason="received again")
        hint_on_commit(original.pk)
    return scan


def _gets_another_chance(original: Scan) -> bool:
    """Tell whether the same bytes, sent again, put the first copy back to work."""
    if original.state == ScanState.SPLIT:  # at the wrong places: a person rejected every part
        return not original.parts.exclude(state=ScanState.REJECTED).exists()
    return (
        original.state == ScanState.QUARANTINED
        and original.problem_code in _REOPENED_BY_ANOTHER_COPY
    )


def _quarantine(scan: Scan, finding: _Finding) -> Scan:
    return scan_quarantine(scan=scan, code=finding.code, problem=finding.problem)


def scan_audit(
    action: str, scan: Scan, user: Any, data: dict[str, Any], *, actor_name: str = ""
) -> None:
    """Append an audit event about a scan; without a person or name its source did it."""
    audit_record(
        action=action,
        site=scan.site,
        object_type="scan",
        object_id=scan.pk,
        actor=user,
        actor_name=actor_name or scan.source,
        scan_id=scan.pk,
        data=data,
    )
