"""Own keys, drug names, questions, drafts, files and audit entries over REST, as on the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from clinic_hwr.accounts.models import Site
from clinic_hwr.audit.models import AuditEvent
from clinic_hwr.intake.services import scan_receive
from clinic_hwr.review.models import KeyBinding
from clinic_hwr.review.services import clarification_ask, field_decide, scan_claim
from tests.intake import samples
from tests.review.scripted import GRAVE_DRUGS, ORDINARY_DRUGS, ReadScan, read_scan

pytestmark = pytest.mark.django_db


@pytest.fixture
def read(site: Site) -> ReadScan:
    """A two-drug scan of which no drug is on a list."""
    return read_scan(site, ORDINARY_DRUGS)


@pytest.fixture
def api_of() -> Callable[[Any], APIClient]:
    """Return ``api_of(user)``: that person's program."""

    def make(user: Any) -> APIClient:
        client = APIClient()
        client.force_authenticate(user)
        return client

    return make


def keys_of(answer: Any, action: str) -> list[str]:
    return next(each["keys"] for each in answer.json()["keys"] if each["action"] == action)


def test_own_keys(api_of: Callable[..., APIClient], clinician: Any, pharmacist: Any) -> None:
    api = api_of(clinician)
    seen = api.get("/api/keys/")
    body = {"action": "illegible", "keys": ["j"]}

    without = api.post("/api/keys/", body, format="json")
    done = api.post("/api/keys/", body, format="json", HTTP_IF_MATCH=seen["ETag"])
    stale = api.post("/api/keys/", body, format="json", HTTP_IF_MATCH=seen["ETag"])
    taken = api.post(
        "/api/keys/", {"action": "postpone", "keys": ["j"]}, format="json",
        HTTP_IF_MATCH=done["ETag"],
    )  # fmt: skip

    assert keys_of(seen, "illegible") == ["x"]
    assert (without.status_code, done.status_code) == (428, 200)
    assert keys_of(done, "illegible") == keys_of(api.get("/api/keys/"), "illegible") == ["j"]
    assert (stale.status_code, stale.json()["code"]) == (412, "keys_changed")
    assert (taken.status_code, taken.json()["code"]) == (400, "invalid_keys")
    assert keys_of(api_of(pharmacist).get("/api/keys/"), "illegible") == ["x"]
    assert keys_of(api.post("/api/keys/reset/"), "illegible") == ["x"]
    assert not KeyBinding.objects.exists()


def test_drug_names_from_five_letters_on(
    api_of: Callable[..., APIClient], clinician: Any, outsider: Any, read: ReadScan
) -> None:
    def asked(user: Any, text: str) -> Any:
        body = {"scan_id": str(read.scan.pk), "text": text}
        return api_of(user).post("/api/drugs/", body, format="json")

    assert asked(clinician, "hydr").json() == {"drugs": []}
    shown = [each["shown"] for each in asked(clinician, "hydrox").json()["drugs"]]
    assert "hydrOXYzine" in " ".join(shown)
    assert asked(outsider, "hydrox").status_code == 404


def test_questions_are_listed_with_their_calls(
    api_of: Callable[..., APIClient], clinician: Any, clinic_admin: Any, read: ReadScan
) -> None:
    api = api_of(clinician)
    token = scan_claim(user=clinician, scan_id=read.scan.pk).token
    asked = [
        clarification_ask(
            user=clinician, field_id=read[key].pk, lease_token=token,
            reason="directions_unclear", question=f"What of {key}?",
        )
        for key in ("sig", "sig2")
    ]  # fmt: skip
    call = {"outcome": "no_answer", "called": "Dr. Obi"}
    api.post(f"/api/questions/{asked[0].pk}/calls/", call, format="json")

    listed = api.get("/api/questions/").json()

    assert [each["question"] for each in listed["questions"]] == ["What of sig?", "What of sig2?"]
    assert [each["outcome"] for each in listed["questions"][0]["calls"]] == ["no_answer"]
    assert listed["after"] is None
    assert "directions_unclear" in [each["code"] for each in listed["reasons"]]
    one = api.get(f"/api/questions/{asked[0].pk}/")
    assert (one.json(), one.status_code) == (listed["questions"][0], 200)
    assert api.get("/api/questions/?status=answered").json()["questions"] == []
    assert api.get("/api/questions/?status=x").status_code == 400
    place = f"{asked[0].asked_at.isoformat()}_{asked[0].pk}"
    later = api.get("/api/questions/", {"after": place}).json()["questions"]
    assert [each["question"] for each in later] == ["What of sig2?"]
    assert api_of(clinic_admin).get("/api/questions/").status_code == 403
    assert api_of(clinic_admin).get(f"/api/questions/{asked[0].pk}/").status_code == 404


def test_a_draft_says_what_the_scan_means_so_far(
    api_of: Callable[..., APIClient], clinician: Any, outsider: Any, read: ReadScan
) -> None:
    draft = api_of(clinician).get(f"/api/scans/{read.scan.pk}/draft/")

    first = draft.json()["medications"][0]
    assert (first["written"], first["closed"]) == ("Ibuprofen 600 mg", False)
    assert first["plain"]
    assert draft.json()["pages"][0]["number"] == 1
    assert draft.json()["undoable"] == []
    assert api_of(outsider).get(f"/api/scans/{read.scan.pk}/draft/").status_code == 404


def test_a_field_says_why_a_person_decides_it_and_which_characters_are_doubtful(
    api_of: Callable[..., APIClient], clinician: Any, read: ReadScan
) -> None:
    field = api_of(clinician).get(f"/api/fields/{read['patient_name'].pk}/").json()

    assert field["doubtful"] == [11]
    assert any("too few labelled outcomes" in each["message"] for each in field["reasons"])
    assert (field["choices"], field["answers"]) == ([], [])


def test_nothing_blind_is_told_by_the_draft_or_the_fields(
    api_of: Callable[..., APIClient], site: Site, clinician: Any
) -> None:
    grave = read_scan(site, GRAVE_DRUGS, name="grave.png")
    api = api_of(clinician)

    told = [api.get(f"/api/scans/{grave.scan.pk}/{what}/") for what in ("draft", "fields")]

    for answer in told:
        text = answer.content.decode().lower()
        assert answer.status_code == 200
        assert "warfarin" not in text
        assert "oxycodone" not in text
    assert told[0].json()["medications"] == [
        {"sequence": 1, "closed": True}, {"sequence": 2, "closed": True},
    ]  # fmt: skip
    drug = next(each for each in told[1].json()["items"] if each["name"] == "drug")
    assert (drug["doubtful"], drug["choices"], drug["look_alikes"]) == ([], [], [])


def test_the_received_file_and_the_separator_sheet(
    api_of: Callable[..., APIClient], site: Site, clinician: Any, outsider: Any
) -> None:
    data = samples.png()
    scan = scan_receive(site=site, data=data, original_name="rx.png", source="cli")

    file = api_of(clinician).get(f"/api/scans/{scan.pk}/original/")
    sheet = api_of(clinician).get("/api/separator-sheet/?paper=a4")

    assert (file.content, file["Content-Type"]) == (data, "application/octet-stream")
    assert "attachment" in file["Content-Disposition"]
    assert sheet.content.startswith(b"%PDF")
    assert api_of(outsider).get(f"/api/scans/{scan.pk}/original/").status_code == 404
    assert api_of(clinician).get("/api/separator-sheet/?paper=x").status_code == 404
    assert AuditEvent.objects.filter(action="document.viewed", object_type="scan").count() == 1


def test_one_audit_entry_with_its_ink(
    api_of: Callable[..., APIClient], clinician: Any, clinic_admin: Any, read: ReadScan
) -> None:
    token = scan_claim(user=clinician, scan_id=read.scan.pk).token
    field_decide(
        user=clinician, field_id=read["sig"].pk, kind="corrected", value="1 tab PO TID",
        expected_number=0, lease_token=token,
    )  # fmt: skip
    event = AuditEvent.objects.get(action="field.corrected")
    address = f"/api/audit/{event.uuid}/"

    entry = api_of(clinic_admin).get(address)
    crop = api_of(clinic_admin).get(f"{address}crop/")

    assert (entry.json()["data"]["new"], entry.json()["intact"]) == ("1 tab PO TID", True)
    assert crop["Content-Type"] == "image/png"
    assert {api_of(clinician).get(address + what).status_code for what in ("", "crop/")} == {403}
