"""ETags and preconditions: nobody overwrites what they have not seen (RFC 9110, 13)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from clinic_hwr.problems import Problem


def etag_of(data: Any) -> str:
    """Return a strong ETag of what is answered."""
    text = json.dumps(data, sort_keys=True, cls=JSONEncoder)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def tagged(request: Request, data: Any, etag: str = "", **headers: str) -> Response:
    """Return ``data`` with its ETag, or 304 when the client has it already."""
    etag = etag or etag_of(data)
    known = [each.strip() for each in request.headers.get("If-None-Match", "").split(",")]
    headers = {"ETag": etag, "Cache-Control": "no-store", **headers}
    if etag in known or "*" in known:
        return Response(status=304, headers=headers)
    return Response(data, headers=headers)


def required_tag(request: Request) -> str:
    """Return the ETag of ``If-Match`` without its quotes.

    Raises:
        Problem: 428 without one: the client must say what it saw.
    """
    text = request.headers.get("If-Match", "").strip()
    if not text:
        raise Problem(428, "Send If-Match with the ETag of what you saw.")
    return text.removeprefix("W/").strip('"')
