"""Every scan says how it came in, who sent it, and where to look."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Site
from clinic_hwr.intake.models import Scan, SiteIntake
from clinic_hwr.intake.services import Sender, scan_receive
from clinic_hwr.intake.watching import FolderWatch

from . import samples


def origin() -> tuple[str, str, str, Any, str]:
    scan = Scan.objects.get()
    return scan.source, scan.sent_by, scan.source_ref, scan.uploaded_by, scan.site.slug


def test_command_line_names_account_and_folder(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "nightshift")
    (tmp_path / "rx.png").write_bytes(samples.png())

    call_command("ingest", str(tmp_path / "rx.png"), stdout=io.StringIO())

    assert origin() == ("cli", "nightshift", str(tmp_path), None, "riverside")


def test_watched_folder_names_the_folder(site: Site, tmp_path: Path) -> None:
    watched = FolderWatch(tmp_path / "fax", site=site, settle_s=0.0)
    (tmp_path / "fax" / "rx.png").write_bytes(samples.png())

    watched.sweep()

    assert origin() == ("folder", "", str(tmp_path / "fax"), None, "riverside")


def test_rest_names_the_account(api_client: APIClient, integration: Any) -> None:
    api_client.force_authenticate(integration)

    api_client.post("/api/scans/", {"file": io.BytesIO(samples.png())}, format="multipart")

    assert origin() == ("api", "", "", integration, "riverside")


def test_what_a_stranger_says_of_himself_is_one_printable_line(site: Site) -> None:
    sender = Sender("a\r\nb\x00c", "x" * 400)

    scan = scan_receive(
        site=site, data=samples.png(), original_name="a.png", source="mail", sender=sender
    )

    assert (scan.sent_by, len(scan.source_ref)) == ("abc", 255)


def test_rest_and_command_take_a_rule_and_refuse_an_unknown_one(
    api_client: APIClient, clinician: Any, tmp_path: Path
) -> None:
    api_client.force_authenticate(clinician)
    (tmp_path / "rx.tif").write_bytes(samples.tiff(pages=2))

    refused = api_client.post(
        "/api/scans/", {"file": io.BytesIO(samples.png()), "split": "each"}, format="multipart"
    )
    with pytest.raises(CommandError, match="every:N"):
        call_command("ingest", str(tmp_path), split="each")
    assert Scan.objects.count() == 0
    assert (refused.status_code, "every:N" in refused.json()["detail"]) == (400, True)

    call_command("ingest", str(tmp_path), split="every:1", stdout=io.StringIO())
    assert Scan.objects.get().split_rule == "every:1"


def test_site_rule_is_set_in_the_admin(client: Any, site: Site, django_user_model: Any) -> None:
    root = django_user_model.objects.create_superuser("root", password="x" * 20)
    client.force_login(root)
    address = "/admin/clinic_intake/siteintake/add/"

    refused = client.post(address, {"site": str(site.pk), "split_rule": "each"})
    taken = client.post(address, {"site": str(site.pk), "split_rule": "every:2"})

    assert (refused.status_code, taken.status_code) == (200, 302)
    assert SiteIntake.objects.get().split_rule == "every:2"
