"""The rooms can be added to a Django project that exists already (tests/host_project)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parent.parent.parent
HOST = ROOT / "tests" / "host_project"

# A person of the hospital signs in and opens the inbox; a stranger is sent to the sign-in page.
VISIT = """
import json
import django
django.setup()
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.core.management import call_command
from clinic_hwr.accounts.models import Membership, Site
# nothing of clinic_hwr would make new migrations under the host's settings
call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)
nurse = get_user_model().objects.create_user("nurse")
site = Site.objects.create(name="Ward 3", slug="ward-3")
Membership.objects.create(user=nurse, site=site, role="clinician")
stranger, member = Client(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
member.force_login(nurse)
refused = stranger.get("/prescriptions/inbox/")
inbox = member.get("/prescriptions/", follow=True)
broken = SimpleUploadedFile("rx.png", b"no scan")
upload = member.post("/prescriptions/api/scans/", {"file": broken})
status = member.get("/prescriptions/api/scans/" + upload.json()["scans"][0]["scan_id"] + "/")
print(json.dumps({
    "home": stranger.get("/").content.decode(),
    "refused": [refused.status_code, refused.headers.get("Location", "")],
    "inbox": [inbox.status_code, inbox.redirect_chain[-1][0], "nurse" in inbox.content.decode()],
    "upload": [upload.status_code, status.json()["status"], status.json()["problem"]["code"]],
    "admin": stranger.get("/admin/login/").status_code,
}))
"""


def run_in_host(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(HOST)]),
        "DJANGO_SETTINGS_MODULE": "hospital.settings",
        "HOSPITAL_DATA": str(data),
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=HOST,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.timeout(180)
def test_host_project_checks_migrates_and_answers(tmp_path: Path) -> None:
    migrate = run_in_host(tmp_path, "manage.py", "migrate", "--verbosity", "0")
    assert migrate.returncode == 0, migrate.stderr

    assert "System check identified" not in migrate.stderr

    visit = run_in_host(tmp_path, "-c", VISIT)
    assert visit.returncode == 0, visit.stderr
    seen = json.loads(visit.stdout)
    assert seen["home"] == "Hospital intranet"
    assert seen["refused"][0] == 302
    assert seen["refused"][1].startswith("/prescriptions/login/?next=")
    assert seen["inbox"] == [200, "/prescriptions/inbox/", True]
    assert seen["upload"] == [202, "quarantined", "unknown_type"]
    assert seen["admin"] == 200
