"""The decoder of e-mail, run as a script: one message in on stdin, what it brought out on stdout.

Output: one JSON line with ``from``, ``id`` and ``left_out`` (how many small pictures of the text's
own decoration); for every attachment one JSON line ``{"name", "bytes"}`` and the bytes; at last
``{"end": true}``. ``{"error": [code, detail]}`` instead when the message cannot be taken apart.
"""

from __future__ import annotations

import argparse
import email
import email.header
import email.policy
import email.utils
import sys
from email.message import Message
from pathlib import Path
from typing import Any

MAX_PARTS = 200
MAX_DEPTH = 12
DECORATION_BYTES = 16 * 1024
"""A smaller picture inside of the text is a logo; a phone's photo has a hundred times that."""

_BODY_TYPES = frozenset({"text/plain", "text/html", "text/calendar", "text/enriched"})
_REPORT_TYPES = frozenset({"message/delivery-status", "text/rfc822-headers"})


def main() -> int:
    """Take stdin apart; exit 0 also when it is refused."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--memory-bytes", type=int, required=True)
    parser.add_argument("--cpu-s", type=int, required=True)
    parser.add_argument("--max-parts", type=int, default=MAX_PARTS)
    options = parser.parse_args()
    from clinic_hwr.intake.decoder.limits import (
        Refused,
        call_decoder,
        limit_resources,
        write_blob,
        write_line,
    )

    limit_resources(options.memory_bytes, options.cpu_s)
    try:
        message = call_decoder(_parse, sys.stdin.buffer.read())
        attachments, left_out = call_decoder(_attachments, message, options.max_parts)
        write_line({**call_decoder(_facts, message), "left_out": left_out})
        for name, part in attachments:
            write_blob(call_decoder(_content, part), name=name)
        write_line({"end": True})
    except Refused as refusal:
        write_line({"error": list(refusal.args)})
    return 0


def _parse(data: bytes) -> Message:
    return email.message_from_bytes(data, policy=email.policy.compat32)


def _facts(message: Message) -> dict[str, Any]:
    address = email.utils.parseaddr(_words(message.get("From", "")))[1]
    return {"from": address[:255], "id": _words(message.get("Message-ID", ""))[:200]}


def _attachments(message: Message, most: int) -> tuple[list[tuple[str, Message]], int]:
    """Return (name, part) of everything that is no body text, and how many logos were left out."""
    from clinic_hwr.intake.decoder.limits import Refused

    found: list[tuple[str, Message]] = []
    left_out = seen = 0
    waiting = [(message, 0)]
    while waiting:
        part, depth = waiting.pop(0)
        seen += 1
        if seen > most or depth > MAX_DEPTH:
            raise Refused("too_complex", "parts")
        payload = part.get_payload()
        if isinstance(payload, list) and part.get_content_type() not in _REPORT_TYPES:
            # In the order of the message, what is inside before what follows.
            waiting = [(inner, depth + 1) for inner in payload] + waiting
            continue
        if part.is_multipart() or part.get_content_type() in _REPORT_TYPES:
            continue
        if _is_body(part):
            continue
        if _is_decoration(part):
            left_out += 1
            continue
        found.append((_name(part, len(found) + 1), part))
    return found, left_out


def _is_body(part: Message) -> bool:
    named = part.get_filename() is not None or part.get_content_disposition() == "attachment"
    return part.get_content_type() in _BODY_TYPES and not named


def _is_decoration(part: Message) -> bool:
    if part.get_content_maintype() != "image" or part.get("Content-ID") is None:
        return False
    if part.get_content_disposition() == "attachment":
        return False
    return len(_content(part)) < DECORATION_BYTES


def _content(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _name(part: Message, number: int) -> str:
    """Return the sender's name for an attachment, or a number; it is text and never a path."""
    name = _words(part.get_filename() or "").strip()
    return name[-200:] if name else f"attachment-{number}"


def _words(header: object) -> str:
    """Return a header with its encoded words read; what cannot be read stays as it is."""
    text = str(header)[:4000]
    try:
        return str(email.header.make_header(email.header.decode_header(text)))
    except Exception:  # unknown character sets, broken base64
        return text.encode("ascii", "replace").decode()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    sys.exit(main())
