"""A person's own keys: kept by the server, never two meanings for one key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinic_hwr.review.errors import InvalidKeys
from clinic_hwr.review.keys import key_map, keys_bind, keys_of, keys_reset
from clinic_hwr.review.models import KeyBinding


def keys_for(user: Any, action: str) -> list[str]:
    return next(entry["keys"] for entry in keys_of(user) if entry["action"] == action)


def test_own_keys_take_the_place_of_those_of_the_file(clinician: Any, pharmacist: Any) -> None:
    keys_bind(user=clinician, action="illegible", keys=["j", "Ctrl+i"])

    assert keys_for(clinician, "illegible") == ["j", "Ctrl+i"]
    assert keys_for(pharmacist, "illegible") == ["x"]
    keys_bind(user=clinician, action="not_present", keys=["x"])  # free now
    keys_reset(user=clinician)
    assert [entry["keys"] for entry in keys_of(clinician)] == [e["keys"] for e in key_map()]
    assert not KeyBinding.objects.exists()


def test_no_keys_mean_those_of_the_file(clinician: Any) -> None:
    keys_bind(user=clinician, action="illegible", keys=["j"])
    keys_bind(user=clinician, action="illegible", keys=[])

    assert keys_for(clinician, "illegible") == ["x"]


@pytest.mark.parametrize(
    ("action", "keys", "why"),
    [
        ("illegible", ["n"], "already means"),
        ("commit", ["Ctrl+Enter"], "already means"),  # always, and so in edit mode too
        ("release", ["Enter"], "already means"),
        ("illegible", ["Backspace"], "erases"),
        ("illegible", ["Delete"], "erases"),
        ("illegible", ["Ctrl+c"], "belongs to the browser"),
        ("illegible", [" "], "cannot be used"),
        ("illegible", [""], "cannot be used"),
        ("illegible", ["<script>"], "cannot be used"),
        ("illegible", ["j", "k", "l", "m"], "at most"),
        ("fly", ["j"], "Unknown action"),
    ],
)
def test_a_key_that_cannot_be_worked_with_is_refused(
    clinician: Any, action: str, keys: list[str], why: str
) -> None:
    with pytest.raises(InvalidKeys, match=why):
        keys_bind(user=clinician, action=action, keys=keys)

    assert not KeyBinding.objects.exists()


def test_the_same_key_may_mean_another_thing_in_another_mode(clinician: Any) -> None:
    keys_bind(user=clinician, action="next_doubt", keys=["Ctrl+d"])
    keys_bind(user=clinician, action="box_save", keys=["Ctrl+d"])

    assert keys_for(clinician, "box_save") == ["Ctrl+d"]


def test_the_page_binds_and_a_conflict_is_a_400(
    clinician: Any, signed_in: Callable[[Any], Client]
) -> None:
    client = signed_in(clinician)

    def post(body: Any) -> Any:
        return client.post(reverse("keys"), body, content_type="application/json")

    good = post({"action": "illegible", "keys": ["j"]})
    bad = post({"action": "not_present", "keys": ["j"]})
    malformed = post({"action": "not_present", "keys": "j"})

    assert next(e for e in good.json()["keys"] if e["action"] == "illegible")["keys"] == ["j"]
    for answer in (bad, malformed):
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_keys")
    assert post({"reset": True}).status_code == 200
    assert keys_for(clinician, "illegible") == ["x"]
