"""An e-mail message to scans: its attachments, each with the message it came in.

Fax gateways send every fax as a message with a TIFF or PDF attached, phones send photos. The
message is taken apart in a child process under limits; nothing in it is trusted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clinic_hwr.accounts.models import Site

from .child_process import ChildDied, ChildOutput, ChildRefused, child_run
from .models import Scan
from .safety import ACCEPTED, FileRefused, Problem
from .services import Sender, scan_receive

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""One file of the largest size takes 34 MB as base64."""

_CHILD = Path(__file__).with_name("decoder") / "mail.py"
_MEMORY_BYTES = 800 << 20
"""A message of the largest size, its lines and its decoded parts take some 400 MB."""
_CPU_S = 30
_WALL_S = 60.0


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attachment: the sender's name for it, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class MailHead:
    """Who sent a message (an address as claimed) and its id; both may be ""."""

    sender: str
    message_id: str


def mail_receive(*, site: Site, data: bytes, split_rule: str = "") -> list[Scan]:
    """Receive the attachments of one message as scans of source ``mail``.

    A message that brings none, or cannot be taken apart, becomes a quarantined scan itself, so that
    a person sees it. The same message twice gives duplicates of the first scans.

    Args:
        site: whose mail it is.
        data: the message as it came, RFC 5322 with MIME.
        split_rule: as in ``scan_receive_file``.
    """
    ref = f"sha256:{hashlib.sha256(data).hexdigest()[:16]}"
    scans = []
    try:
        with _parts(data) as output:
            head = output.line()
            message_id = str(head.get("id", "")) or ref
            sender = str(head.get("from", ""))
            for number, attachment in enumerate(_attachments(output), start=1):
                scan = scan_receive(
                    site=site,
                    data=attachment.data,
                    original_name=attachment.name,
                    source="mail",
                    sender=Sender(sender, f"{message_id} attachment {number}"),
                    split_rule=split_rule,
                )
                scans.append(scan)
            if not scans:
                scans.append(_kept_whole(site, data, Sender(sender, message_id), _NOTHING))
    except FileRefused as refusal:
        scans.append(_kept_whole(site, data, Sender("", ref), refusal))
    return scans


_NOTHING = FileRefused(
    Problem.NO_ATTACHMENT,
    f"This e-mail has no attachment to read. Ask the sender for the paper as {ACCEPTED}.",
)


def _kept_whole(site: Site, data: bytes, sender: Sender, refusal: FileRefused) -> Scan:
    return scan_receive(
        site=site,
        data=data,
        original_name="message.eml",
        source="mail",
        sender=sender,
        refusal=refusal,
    )


@contextmanager
def _parts(data: bytes) -> Iterator[ChildOutput]:
    """Run the decoder of mail; whatever goes wrong becomes ``FileRefused``."""
    if len(data) > MAX_MESSAGE_BYTES:
        raise FileRefused(
            Problem.TOO_LARGE,
            f"This e-mail has {len(data) / 2**20:.0f} MB; the limit is "
            f"{MAX_MESSAGE_BYTES // 2**20} MB. Ask for smaller attachments.",
        )
    arguments = ["--memory-bytes", str(_MEMORY_BYTES), "--cpu-s", str(_CPU_S)]
    try:
        with child_run(_CHILD, arguments, data, wall_s=_WALL_S) as output:
            yield output
    except (ChildDied, ChildRefused) as error:
        code = error.code if isinstance(error, ChildRefused) else Problem.TOO_COMPLEX
        raise FileRefused(
            Problem.BROKEN if code == Problem.BROKEN else Problem.TOO_COMPLEX,
            "This e-mail cannot be taken apart: it is damaged, or has too many parts. Its "
            "attachments after the last one received are not here: ask for them again.",
        ) from error


def _attachments(output: ChildOutput) -> Iterator[Attachment]:
    while "end" not in (line := output.line()):
        size = int(line["bytes"])
        if size > MAX_MESSAGE_BYTES:
            raise EOFError("No decoder of ours says so.")
        yield Attachment(str(line["name"]), output.exactly(size))
