"""``manage.py serve``: the web server and the worker in one process."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from waitress.server import create_server

from clinic_hwr.intake.mail_drop import mail_start
from clinic_hwr.intake.watching import watch_start

# What waitress hands out while a request body arrives; more than the browsers of a small clinic
# open at once, few enough that SQLite's single writer is not the queue.
THREADS = 8
STOP_S = 30.0


class Command(BaseCommand):
    """Serves until SIGTERM or Ctrl-C; the page at hand is finished first."""

    help = "Serve web pages and process scans in one process."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the flags."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="0 = any free port")
        parser.add_argument("--threads", type=int, default=THREADS, help="of the web server")
        parser.add_argument(
            "--no-worker",
            action="store_true",
            help="web only (the default when CELERY_BROKER_URL is set: Celery has the workers)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Listen first, so that a taken port is noticed before any work begins."""
        from clinic_hwr.wsgi import application

        try:
            server = create_server(
                application,
                host=options["host"],
                port=options["port"],
                threads=options["threads"],
                max_request_body_size=settings.REQUEST_MAX_BYTES,
                ident="clinic_hwr",
                **_proxy_settings(),
            )
        except OSError as error:
            raise CommandError(
                f"Port {options['port']} of {options['host']} cannot be used ({error.strerror}). "
                "Choose another with --port."
            ) from error
        stop = threading.Event()
        worker = None
        if not options["no_worker"] and not settings.CELERY_BROKER_URL:
            worker = _worker_start(stop)
        watch_start(stop)
        mail_start(stop)
        signal.signal(signal.SIGTERM, _interrupt)
        self.stdout.write(
            f"clinic_hwr is at http://{options['host']}:{server.effective_port}/ (Ctrl-C stops it)"
        )
        self.stdout.flush()
        try:
            server.run()  # returns on KeyboardInterrupt, after the requests at hand
        finally:
            stop.set()
            server.close()
            if worker is not None:
                _worker_stop(worker)
        self.stdout.write("Stopped.")


def _proxy_settings() -> dict[str, Any]:
    """Return what makes waitress believe the TLS proxy, and nobody else, about the client."""
    if not settings.BEHIND_TLS:
        return {}
    return {
        "trusted_proxy": settings.TRUSTED_PROXY,
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
        "clear_untrusted_proxy_headers": True,
    }


def _interrupt(number: int, frame: Any) -> None:
    """Treat SIGTERM as Ctrl-C."""
    raise KeyboardInterrupt


def _worker_start(stop: threading.Event) -> threading.Thread:
    """Start the worker in a thread of this process."""
    from clinic_hwr.worker import Worker

    thread = threading.Thread(target=Worker().run_forever, args=(stop,), name="worker")
    # daemon: should a stage hang, the process still ends after STOP_S; its claim runs out
    thread.daemon = True
    thread.start()
    return thread


def _worker_stop(thread: threading.Thread) -> None:
    """Wait until the stage at hand is done, ``STOP_S`` at most."""
    from clinic_hwr.worker import wake

    wake()
    thread.join(STOP_S)
