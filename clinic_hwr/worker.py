"""The worker: takes scans and deliveries that wait in the database, one after the other."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from uuid import uuid4

from django.db import close_old_connections, connection

from clinic_hwr import pipeline
from clinic_hwr.delivery.services import deliveries_due, delivery_attempt
from clinic_hwr.intake.claims import free_scans
from clinic_hwr.routing.lexicons import working_lexicon
from clinic_hwr.stage_box import boxes_read
from clinic_hwr.stage_read import reader_load

logger = logging.getLogger(__name__)

POLL_S = 2.0
"""How long a scan may wait when its hint was lost; short beside the 5 s that a page may take."""

_wake = threading.Event()


def wake() -> None:
    """Tell the worker of this process that something waits."""
    _wake.set()


class Worker:
    """Works off scans and deliveries; any number may run, in threads or processes.

    Scans and deliveries have a thread each: an EHR that answers slowly must not hold up pages.
    """

    def __init__(self, name: str = "", *, poll_s: float = POLL_S) -> None:
        """Name the worker (default: host, process and a random part) and its polling interval."""
        self.name = name or f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:6]}"
        self._poll_s = poll_s

    def run_once(self) -> int:
        """Work off everything that waits now; returns how many stages and deliveries were done."""
        return self.scans_once() + self.deliveries_once()

    def scans_once(self, stop: threading.Event | None = None) -> int:
        """Take every waiting scan as far as it goes, oldest first; returns the stages done."""
        pipeline.scans_quarantine_spent()
        done = boxes_read(worker=self.name)  # somebody looks at these now
        for scan_id in list(free_scans(pipeline.STATES).values_list("pk", flat=True)):
            # One scan after the other, not stage by stage: the first is ready for review soonest.
            while pipeline.advance(scan_id, worker=self.name).result == "done":
                done += 1
                done += boxes_read(worker=self.name)
                if stop is not None and stop.is_set():
                    return done
        return done

    def deliveries_once(self) -> int:
        """Attempt every delivery that is due; returns how many."""
        due = deliveries_due()
        for delivery_id in due:
            delivery_attempt(delivery_id, worker=self.name)
        return len(due)

    def run_forever(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set; the stage at hand is finished first."""
        logger.info("worker.started worker=%s", self.name)
        deliveries = threading.Thread(
            target=self._loop, args=(self.deliveries_once, stop.wait, stop), daemon=True
        )
        deliveries.start()
        self._warm_up()
        self._loop(lambda: self.scans_once(stop), self._await_hint, stop)
        deliveries.join()
        logger.info("worker.stopped worker=%s", self.name)

    def _warm_up(self) -> None:
        """Load recognizer and drug names now, so that the first scan does not wait for them."""
        working_lexicon()
        try:
            reader_load()
        except Exception:  # no weights, say: every scan that needs them waits and says so
            logger.exception("worker.no_reader worker=%s", self.name)

    def _await_hint(self, timeout: float) -> None:
        _wake.wait(timeout)
        _wake.clear()

    def _loop(
        self,
        work: Callable[[], int],
        pause: Callable[[float], object],
        stop: threading.Event,
    ) -> None:
        while not stop.is_set():
            close_old_connections()
            try:
                done = work()
            except Exception:  # the database may be away for a while; the worker must outlive it
                logger.exception("worker.fault worker=%s", self.name)
                done = 0
            if not done:
                pause(self._poll_s)
        connection.close()
