"""The contract of the port, run on every registered adapter."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ehr_adapters import (
    Ambiguous,
    EhrAdapter,
    Outcome,
    Rejected,
    RemoteRef,
    RemoteStatus,
    Retryable,
    SubmissionKey,
    adapter_names,
    create_adapter,
)

from .peers import Peer, peer_of
from .released import DRUG_TEXT, PATIENT_NAME, PRESCRIPTION_ID, SIG_TEXT, submission


@pytest.fixture(params=adapter_names())
def peer(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Peer]:
    """The fake peer of the adapter under test."""
    with peer_of(request.param, tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture
def adapter(peer: Peer) -> EhrAdapter:
    """A fresh adapter on the peer."""
    return create_adapter(peer.name, peer.config, {})


def test_a_push_arrives_and_can_be_found_again(peer: Peer, adapter: EhrAdapter) -> None:
    assert adapter.find(submission().key) is None

    receipt = adapter.push(submission())

    assert receipt.outcome is Outcome.CREATED
    assert receipt.differences == ()
    assert peer.count() == 1
    found = adapter.find(submission().key)
    assert found is not None
    assert found.remote_id == receipt.remote_id
    assert adapter.status(found) is RemoteStatus.PRESENT


def test_pushing_twice_leaves_one(peer: Peer, adapter: EhrAdapter) -> None:
    first = adapter.push(submission())

    second = adapter.push(submission())

    assert second.outcome is Outcome.ALREADY_THERE
    assert second.remote_id == first.remote_id
    assert peer.count() == 1
    assert peer.write_tries() == 1


def test_a_new_process_recognises_what_an_old_one_sent(peer: Peer, adapter: EhrAdapter) -> None:
    adapter.push(submission())
    fresh = create_adapter(peer.name, peer.config, {})

    assert fresh.push(submission(maybe_sent=True)).outcome is Outcome.ALREADY_THERE
    assert peer.count() == 1


def test_an_answer_lost_after_the_commit_makes_no_second_copy(
    peer: Peer, adapter: EhrAdapter
) -> None:
    peer.fail_after_commit()
    with pytest.raises((Ambiguous, Retryable)):
        adapter.push(submission())
    assert peer.count() == 1

    receipt = adapter.push(submission(maybe_sent=True))

    assert receipt.outcome is Outcome.ALREADY_THERE
    assert peer.count() == 1
    assert peer.write_tries() == 1


def test_two_senders_at_once_leave_one(peer: Peer, adapter: EhrAdapter) -> None:
    barrier = threading.Barrier(2)
    failures: list[Exception] = []

    def send() -> None:
        own = create_adapter(peer.name, peer.config, {})
        barrier.wait()
        try:
            own.push(submission())
        except Retryable as error:  # the loser may be told to come again
            failures.append(error)

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert peer.count() == 1
    assert len(failures) <= 1


def test_refused_content_is_rejected(peer: Peer, adapter: EhrAdapter) -> None:
    peer.refuse_next()
    before = peer.count()

    with pytest.raises(Rejected):
        adapter.push(submission())

    assert peer.count() == before


def test_a_peer_that_is_down_gets_it_when_it_is_back(peer: Peer, adapter: EhrAdapter) -> None:
    peer.go_down()
    with pytest.raises(Retryable):
        adapter.push(submission())
    peer.come_back()

    assert adapter.push(submission()).outcome is Outcome.CREATED
    assert peer.count() == 1


def test_versions_of_a_prescription_are_told_apart(peer: Peer, adapter: EhrAdapter) -> None:
    adapter.push(submission(version=1))

    assert adapter.find(SubmissionKey(PRESCRIPTION_ID, 2)) is None


def test_what_is_not_there_is_absent(peer: Peer, adapter: EhrAdapter) -> None:
    assert adapter.status(RemoteRef("DocumentReference/nothing")) is RemoteStatus.ABSENT


def test_logs_hold_nothing_of_the_patient(
    peer: Peer, adapter: EhrAdapter, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        adapter.push(submission())
        peer.fail_after_commit()
        with pytest.raises((Ambiguous, Retryable)):
            adapter.push(submission(version=2))

    for phi in (PATIENT_NAME, DRUG_TEXT, SIG_TEXT, "00417"):
        assert phi not in caplog.text
