"""``Idempotency-Key``: a POST that is repeated after a lost answer gets that answer again.

Source: draft-ietf-httpapi-idempotency-key-header. Only success is remembered: after an error
nothing was done, so trying again is right. In the usual case the key is stored in the transaction
of the change, so a crash leaves both or neither; endpoints that must not hold a transaction while
they work (uploads) store it before, and their work is safe to repeat.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from clinic_hwr.problems import Problem

from .models import IdempotentRequest

HEADER = "Idempotency-Key"
MAX_KEY_CHARS = 255
KEPT = timedelta(hours=24)
# A first request that was not heard of for this long has died with its process.
ABANDONED = timedelta(minutes=10)
REPLAYED_HEADERS = ("Location", "ETag")

Handler = Callable[[], Response]


def answer_once(request: Request, handler: Handler, *, in_transaction: bool) -> Response:
    """Return ``handler()``, or what it returned when this key came before.

    Raises:
        Problem: 400 for a key that is none, 409 while the first request is at work, 422 when the
            key came before with other content.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return handler()
    key = key.strip().strip('"')
    if not key or len(key) > MAX_KEY_CHARS or not key.isprintable():
        raise Problem(400, f"{HEADER} is 1 to {MAX_KEY_CHARS} printable characters, a UUID say.")
    fingerprint = _fingerprint(request)
    if not in_transaction:
        return _answer_stored_apart(request, key, fingerprint, handler)
    with transaction.atomic():
        row = _begin(request.user, key, fingerprint)
        if row.status is not None:
            return _replayed(row)
        response = handler()
        _finish(row, response)
        return response


def _answer_stored_apart(
    request: Request, key: str, fingerprint: str, handler: Handler
) -> Response:
    row = _begin(request.user, key, fingerprint)
    if row.status is not None:
        return _replayed(row)
    try:
        response = handler()
    except BaseException:
        row.delete()
        raise
    _finish(row, response)
    return response


def _begin(user: Any, key: str, fingerprint: str) -> IdempotentRequest:
    """Return the row of this key: a new one without a status, or that of the first request."""
    now = timezone.now()
    IdempotentRequest.objects.filter(user=user, created_at__lt=now - KEPT).delete()
    try:
        # of two at once the second waits here for the transaction of the first
        with transaction.atomic():
            return IdempotentRequest.objects.create(user=user, key=key, fingerprint=fingerprint)
    except IntegrityError:
        row = IdempotentRequest.objects.select_for_update().filter(user=user, key=key).first()
    if row is None:
        raise Problem(409, "The first request with this key just failed; send it again.")
    if row.fingerprint != fingerprint:
        raise Problem(422, f"This {HEADER} came before with another request; use a new one.")
    if row.status is None and row.created_at > now - ABANDONED:
        raise Problem(409, "The first request with this key is still at work; ask again soon.")
    return row


def _finish(row: IdempotentRequest, response: Response) -> None:
    """Remember a success; what failed may be tried again under the same key."""
    if response.status_code >= 400:
        row.delete()
        return
    row.status = response.status_code
    row.body = json.loads(json.dumps(response.data, cls=JSONEncoder))
    row.headers = {name: response[name] for name in REPLAYED_HEADERS if response.has_header(name)}
    row.save()


def _replayed(row: IdempotentRequest) -> Response:
    headers = {**row.headers, "Idempotency-Replayed": "true", "Cache-Control": "no-store"}
    return Response(row.body, status=row.status, headers=headers)


def _fingerprint(request: Request) -> str:
    """Return the SHA-256 of what is asked: method, path, precondition, fields and files."""
    digest = hashlib.sha256()
    parts = [request.method, request.path, request.headers.get("If-Match", "")]
    data = request.data
    names = sorted(data) if hasattr(data, "getlist") else []
    for name in names:
        for value in data.getlist(name):
            if isinstance(value, UploadedFile):
                parts.append([name, value.name, _file_digest(value)])
            else:
                parts.append([name, str(value)])
    if not names:
        parts.append(data)
    digest.update(json.dumps(parts, sort_keys=True, default=str).encode())
    return digest.hexdigest()


def _file_digest(file: UploadedFile) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
