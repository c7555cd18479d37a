"""The server fixtures themselves: each answers its own protocol and is gone afterwards."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import psycopg
import pytest
from kombu import Connection
from kombu.exceptions import OperationalError

from . import servers

pytestmark = pytest.mark.services


def test_postgres_answers_and_ends() -> None:
    with servers.postgres() as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1 + 1").fetchone() == (2,)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)


@pytest.mark.parametrize("server", [servers.redis, servers.rabbitmq])
def test_broker_keeps_a_message_and_ends(server: Callable[[], AbstractContextManager[str]]) -> None:
    with server() as url, Connection(url) as connection:
        queue = connection.SimpleQueue("test")
        queue.put({"id": 7})
        message = queue.get(timeout=5)
        assert message.payload == {"id": 7}
        message.ack()
        queue.close()
    with pytest.raises(OperationalError), Connection(url, connect_timeout=2) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0)
