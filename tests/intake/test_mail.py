"""Mail and fax drops: every attachment becomes a scan, hostile messages harm nobody."""

from __future__ import annotations

import io
import mailbox
import sys
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from clinic_hwr.accounts.models import Site
from clinic_hwr.intake import mail_drop
from clinic_hwr.intake.mail import MAX_MESSAGE_BYTES, mail_receive
from clinic_hwr.intake.mail_drop import MailDrop, mail_start
from clinic_hwr.intake.models import Scan
from clinic_hwr.intake.states import ScanState
from clinic_hwr.intake.storage import blob_read

from . import samples

pytestmark = [pytest.mark.usefixtures("site"), pytest.mark.thorough]


def message(*files: tuple[str, bytes], sender: str = "Fax 7 <fax@gateway.example>") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "rx@clinic.example", "Ann Lee"
    mail["Message-ID"] = "<42@gateway.example>"
    mail.set_content("A fax of 2 pages from +1 555 0100.")
    for name, data in files:
        mail.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return mail


def facts(scan: Scan) -> tuple[str, str, str]:
    return scan.original_name, scan.state, scan.problem_code


def test_every_attachment_becomes_a_scan_that_says_where_it_came_from(site: Site) -> None:
    mail = message(("fax.tif", samples.tiff(pages=2)), ("rx.pdf", samples.pdf()))

    scans = mail_receive(site=site, data=mail.as_bytes())

    assert [facts(scan) for scan in scans] == [
        ("fax.tif", "received", ""),
        ("rx.pdf", "received", ""),
    ]
    first = Scan.objects.get(pk=scans[0].pk)
    assert (first.source, first.uploaded_by, first.site) == ("mail", None, site)
    assert first.sent_by == "fax@gateway.example"
    assert first.source_ref == "<42@gateway.example> attachment 1"
    assert blob_read(first.sha256) == samples.tiff(pages=2)


def test_the_same_message_twice_is_linked_and_not_read_twice(site: Site) -> None:
    data = message(("fax.tif", samples.tiff())).as_bytes()
    (first,) = mail_receive(site=site, data=data)

    (again,) = mail_receive(site=site, data=data)

    assert (again.duplicate_of, again.state) == (first, ScanState.REJECTED)


def test_unusable_attachment_is_set_aside_and_the_next_one_received(site: Site) -> None:
    mail = message(
        ("a.exe", b"MZ" + bytes(80)), ("b.pdf", samples.locked_pdf()), ("c.png", samples.png())
    )

    scans = mail_receive(site=site, data=mail.as_bytes())

    assert [scan.problem_code for scan in scans] == ["unknown_type", "encrypted", ""]


def test_message_without_attachment_is_shown_to_people(site: Site) -> None:
    data = message().as_bytes()

    (scan,) = mail_receive(site=site, data=data)

    assert facts(scan) == ("message.eml", "quarantined", "no_attachment")
    assert scan.sent_by == "fax@gateway.example"
    assert blob_read(scan.sha256) == data
    assert "Ann Lee" not in scan.problem


def test_forwarded_message_gives_its_attachments(site: Site) -> None:
    outer = message()
    outer.add_attachment(message(("inner.png", samples.png())))

    (scan,) = mail_receive(site=site, data=outer.as_bytes())

    assert facts(scan) == ("inner.png", "received", "")


def test_photo_in_the_text_is_read_and_a_logo_is_not(site: Site) -> None:
    import numpy as np
    from PIL import Image

    noise = np.random.default_rng(1).integers(0, 255, (320, 240), dtype=np.uint8)
    photo = samples.encoded(Image.fromarray(noise), "JPEG", quality=90)
    mail = EmailMessage()
    mail.set_content("<img src='cid:a'><img src='cid:b'>", subtype="html")
    mail.add_related(photo, "image", "jpeg", cid="<a>")
    mail.add_related(samples.png(), "image", "png", cid="<b>")

    (scan,) = mail_receive(site=site, data=mail.as_bytes())

    assert facts(scan) == ("attachment-1", "received", "")
    assert blob_read(scan.sha256) == photo


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("=?utf-8?B?cmV6ZXB0LnBuZw==?=", "rezept.png"),
        ("../../etc/passwd.png", "passwd.png"),
        ("C:\\fax\\rx.png", "rx.png"),
        ("", "attachment-1"),
    ],
)
def test_attachment_name_is_text_and_never_a_path(site: Site, name: str, kept: str) -> None:
    head = f'Content-Disposition: attachment; filename="{name}"' if name else ""
    import base64

    data = (
        f"From: a@b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n{head}\n".rstrip()
        + "\n\n"
        + base64.encodebytes(samples.png()).decode()
    ).encode()

    (scan,) = mail_receive(site=site, data=data)

    assert facts(scan) == (kept, "received", "")


def nested(depth: int) -> bytes:
    """Parts within parts within parts."""
    head = b"From: a@b\r\nMIME-Version: 1.0\r\n"
    body = b""
    for level in range(depth):
        body += b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
    return head + body + b"Content-Type: image/png\r\n\r\nx"


HOSTILE = {
    "nested 20": nested(20),
    "nested 5000": nested(5000),
    "many parts": b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\na\n" * 5000,
    "million lines": b"Content-Type: image/png\n\n" + b"\n" * 8_000_000,
    "long header": b'Content-Type: multipart/mixed; a="' + b';"' * 400_000 + b"\n\nx",
    "many headers": b"X: y\n" * 300_000 + b"\nbody",
    "boundary missing": b"Content-Type: multipart/mixed\n\nx",
    "bad base64": b"Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n!!!!=A=",
    "bad charset": b"Content-Type: image/png; name*=nonsense'xx'%ff%fe.png\n\nx",
    "encoded word bomb": b"From: " + b"=?utf-8?q?=41?= " * 50_000 + b"\n\nx",
    "external body": b"Content-Type: message/external-body; access-type=local-file; "
    b'name="/etc/passwd"\n\nContent-Type: image/png\n\n',
    "partial": b'Content-Type: message/partial; id="x"; number=1; total=9\n\nabc',
    "nul": bytes(5000),
    "empty": b"",
    "not mail": samples.png(),
    "too large": b"Content-Type: image/png\n\n" + b"x" * (MAX_MESSAGE_BYTES + 1),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_message_is_kept_and_set_aside(site: Site, case: str) -> None:
    scans = mail_receive(site=site, data=HOSTILE[case])

    assert scans
    for scan in scans:
        assert scan.state == ScanState.QUARANTINED
        assert scan.problem_code and scan.problem
    assert Scan.objects.count() == len(scans)


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    """A Maildir as a mail server delivers into."""
    mailbox.Maildir(tmp_path / "mail", create=True)
    return tmp_path / "mail"


def test_maildir_message_is_taken_once_and_marked_as_seen(site: Site, maildir: Path) -> None:
    (maildir / "new" / "1.host").write_bytes(message(("rx.png", samples.png())).as_bytes())
    (maildir / "tmp" / "2.host").write_bytes(b"half of a mess")

    drop = MailDrop(maildir, site=site)

    assert [facts(scan) for scan in drop.sweep()] == [("rx.png", "received", "")]
    assert [path.name for path in (maildir / "cur").iterdir()] == ["1.host:2,S"]
    assert drop.sweep() == []
    assert (maildir / "tmp" / "2.host").exists()


def test_plain_folder_takes_eml_and_mbox(site: Site, tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "all.mbox")
    for level in (1, 2):
        box.add(mailbox.mboxMessage(message((f"{level}.png", samples.png(level)))))
    box.close()
    (tmp_path / "one.eml").write_bytes(message(("3.png", samples.png(3))).as_bytes())
    (tmp_path / "bad.eml").write_bytes(message().as_bytes())
    (tmp_path / "later.eml.part").write_bytes(b"From: a")

    scans = MailDrop(tmp_path, site=site, settle_s=0.0).sweep()

    received = [scan.original_name for scan in scans if scan.state == ScanState.RECEIVED]
    assert received == ["1.png", "2.png", "3.png"]
    assert sorted(p.name for p in (tmp_path / "processed").iterdir()) == ["all.mbox", "one.eml"]
    assert [p.name for p in (tmp_path / "failed").iterdir()] == ["bad.eml"]
    assert (tmp_path / "later.eml.part").exists()


def test_message_stays_when_the_database_is_away(
    site: Site, maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (maildir / "new" / "1").write_bytes(message(("rx.png", samples.png())).as_bytes())

    def away(**arguments: Any) -> list[Scan]:
        raise DatabaseError("away")

    drop = MailDrop(maildir, site=site)
    with monkeypatch.context() as outage:
        outage.setattr(mail_drop, "mail_receive", away)
        with pytest.raises(DatabaseError):
            drop.sweep()

    assert (maildir / "new" / "1").exists()
    assert len(drop.sweep()) == 1


def test_command_reads_one_message_from_a_pipe(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    data = message(("rx.png", samples.png())).as_bytes()
    monkeypatch.setattr(sys, "stdin", type("In", (), {"buffer": io.BytesIO(data)})())
    out = io.StringIO()

    call_command("mail", "-", site=site.slug, stdout=out)

    assert out.getvalue() == "1 scans received.\n"
    assert Scan.objects.get().source == "mail"


def test_pipe_asks_the_mail_server_to_try_again_when_nothing_can_be_stored(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clinic_hwr.intake.management.commands import mail as command

    def full(**arguments: Any) -> list[Scan]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(command, "mail_receive", full)
    monkeypatch.setattr(sys, "stdin", type("In", (), {"buffer": io.BytesIO(b"x")})())

    with pytest.raises(SystemExit) as ended:
        call_command("mail", "-", site=site.slug, stderr=io.StringIO())

    assert ended.value.code == 75


def test_command_receives_what_is_there_and_says_how_it_went(site: Site, maildir: Path) -> None:
    (maildir / "new" / "1").write_bytes(message(("rx.png", samples.png())).as_bytes())
    (maildir / "new" / "2").write_bytes(message().as_bytes())
    out = io.StringIO()

    call_command("mail", str(maildir), "--once", site=site.slug, stdout=out)

    assert out.getvalue() == "2 scans received, 1 of them set aside.\n"


def test_folder_that_is_not_there_is_named(site: Site, tmp_path: Path, settings: Any) -> None:
    import threading

    with pytest.raises(CommandError, match="no folder"):
        call_command("mail", str(tmp_path / "none"), site=site.slug)
    settings.CLINIC_HWR_MAIL = ""
    assert mail_start(threading.Event()) is None
    settings.CLINIC_HWR_MAIL, settings.CLINIC_HWR_MAIL_SITE = str(tmp_path / "none"), site.slug
    with pytest.raises(ImproperlyConfigured, match="must name a folder"):
        mail_start(threading.Event())
