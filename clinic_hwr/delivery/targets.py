"""From a target row to its adapter, with credentials from the environment."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ehr_adapters import EhrAdapter, create_adapter

from .models import DeliveryTarget

# The words that people reach for when they are about to store a secret.
_SECRET_WORDS = ("password", "secret", "token", "api_key", "apikey", "authorization")


def adapter_for(target: DeliveryTarget) -> EhrAdapter:
    """Return the adapter of ``target``, shared in this process while its row stays the same.

    Raises:
        ehr_adapters.Unsupported: unknown adapter or wrong configuration.
        ehr_adapters.AuthFailed: a named environment variable is not set.
    """
    return _adapter(target.adapter, json.dumps(target.config, sort_keys=True))


@lru_cache(maxsize=64)
def _adapter(name: str, config: str) -> EhrAdapter:
    return create_adapter(name, json.loads(config), os.environ)


def stored_secrets(config: Mapping[str, Any]) -> list[str]:
    """Return the keys of ``config`` that look like a secret rather than the name of a variable."""
    return sorted(
        key
        for key in config
        if any(word in key.lower() for word in _SECRET_WORDS) and not key.endswith("_env")
    )
