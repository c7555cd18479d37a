"""Real servers in folders of their own on free ports of 127.0.0.1, gone after the test run."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from kombu import Connection

HOST = "127.0.0.1"
START_S = 120.0  # on a machine that does other work, too
POLL_S = 0.1


def free_port() -> int:
    """Return a port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def program(name: str, *folders: str) -> str:
    """Return the path of a program, or skip the test naming what is missing."""
    search = os.pathsep.join([*folders, os.environ["PATH"], "/usr/sbin"])
    found = shutil.which(name, path=search)
    if found is None:
        pytest.skip(f"{name} is not installed (make install-test installs it)")
    return found


@contextmanager
def running(
    command: list[str], *, env: dict[str, str] | None = None, log: Path, user: str = ""
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a process group of its own; the whole group ends with the block.

    As root, ``user`` runs it instead: PostgreSQL refuses to run as root.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            cwd=log.parent,
            user=user or None,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(15)
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def wait_for(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, what: str
) -> None:
    """Poll ``ready`` until it holds; fail with the log when the program ends or takes too long."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"{what} ended with {process.returncode}:\n{log.read_text()[-3000:]}")
        if ready():
            return
        time.sleep(POLL_S)
    pytest.fail(f"{what} was not ready after {START_S} s:\n{log.read_text()[-3000:]}")


def _unprivileged(name: str) -> str:
    """Return ``name`` as the user to run a server as, when this process is root."""
    return name if os.geteuid() == 0 else ""


@contextmanager
def _folder(user: str) -> Iterator[Path]:
    """Make a folder that ``user`` owns; pytest's own folders are closed to other users."""
    folder = Path(tempfile.mkdtemp(prefix="clinic_hwr_test_"))
    try:
        if user:
            entry = pwd.getpwnam(user)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres() -> Iterator[str]:
    """Run PostgreSQL; yields the DATABASE_URL of an empty database."""
    versions = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
    initdb, server = program("initdb", *versions), program("postgres", *versions)
    user, port = _unprivileged("postgres"), free_port()
    with _folder(user) as folder:
        log, data = folder / "log", folder / "data"
        make = [initdb, "-D", str(data), "-U", "clinic", "-A", "trust", "-E", "UTF8", "--no-sync"]
        with running(make, log=log, user=user) as process:
            assert process.wait(START_S) == 0, log.read_text()
        serve = [server, "-D", str(data), "-p", str(port), "-c", f"listen_addresses={HOST}"]
        serve += ["-c", "unix_socket_directories=", "-c", "fsync=off"]
        with running(serve, log=log, user=user) as process:
            url = f"postgresql://clinic@{HOST}:{port}/postgres"
            wait_for(lambda: _answers(url), process, log, "PostgreSQL")
            yield url


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _takes_clients(broker_url: str) -> bool:
    """Whether a broker takes a client in."""
    try:
        with Connection(broker_url, connect_timeout=2) as connection:
            connection.connect()
    except (OSError, *Connection(broker_url).connection_errors):
        return False
    return True


@contextmanager
def redis() -> Iterator[str]:
    """Run Redis without persistence; yields its broker URL."""
    server, port = program("redis-server"), free_port()
    with _folder("") as folder:
        log = folder / "log"
        command = [server, "--bind", HOST, "--port", str(port), "--save", "", "--appendonly", "no"]
        with running([*command, "--dir", str(folder)], log=log) as process:
            wait_for(lambda: _listens(port), process, log, "Redis")
            yield f"redis://{HOST}:{port}/0"


@contextmanager
def rabbitmq() -> Iterator[str]:
    """Run RabbitMQ with an epmd of its own; yields its broker URL."""
    # Debian's wrapper in /usr/sbin forgets the environment; the server's own script does not.
    server = program("rabbitmq-server", "/usr/lib/rabbitmq/bin")
    epmd = program("epmd")
    port, epmd_port, distribution_port = free_port(), free_port(), free_port()
    with _folder("") as folder:
        log = folder / "log"
        (folder / "enabled_plugins").write_text("[].\n")
        environment = {
            "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(epmd_port),
            "ERL_EPMD_ADDRESS": HOST,
            "RABBITMQ_NODENAME": f"clinic{port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(distribution_port),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "no-such-file"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            # one scheduler each: the machine's two cores are busy with the workers
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1",
        }
        (folder / "rabbitmq.conf").write_text("loopback_users.guest = true\n")
        with (
            running([epmd, "-port", str(epmd_port)], env=environment, log=folder / "epmd.log"),
            running([server], env=environment, log=log) as process,
        ):
            url = f"amqp://guest:guest@{HOST}:{port}//"
            # It listens while it starts, and hangs up on who asks then.
            wait_for(lambda: _takes_clients(url), process, log, "RabbitMQ")
            yield url
