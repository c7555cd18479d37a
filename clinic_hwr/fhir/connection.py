"""Between which machines a request went, as the audit trail keeps it."""

from __future__ import annotations

import re

from django.http import HttpRequest

_REQUEST_ID = re.compile(r"[\w.:@/+-]{1,64}", re.ASCII)
CONNECTION = "connection"  # where an audit event keeps it in its data


def connection_of(request: HttpRequest, server: str) -> dict[str, str]:
    """Return the client's address, the server's, and the id that the client gave the request.

    The client is who opened the connection; behind a proxy that is the proxy, unless the web
    server is told to believe it (waitress ``--trusted-proxy``, gunicorn ``forwarded-allow-ips``).

    Args:
        request: as it came in.
        server: base address of this FHIR server.

    Returns:
        ``client``, ``server`` and ``request_id``, each only where it is known and well formed.
    """
    given = request.headers.get("X-Request-Id", "")
    found = {
        "client": request.META.get("REMOTE_ADDR") or "",
        "server": server,
        "request_id": given if _REQUEST_ID.fullmatch(given) else "",
    }
    return {name: value for name, value in found.items() if value}
