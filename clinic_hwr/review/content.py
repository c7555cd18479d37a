"""What a signature is over: the hash of a prescription's content."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def content_sha256(content: dict[str, Any]) -> str:
    """Return the SHA-256 (hex) of the canonical JSON of a prescription's ``content``."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
