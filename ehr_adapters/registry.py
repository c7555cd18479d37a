"""The adapters by name: one decorator, one dict."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from .errors import Unsupported
from .ports import EhrAdapter

Config = Mapping[str, Any]
Builder = Callable[[Config, Mapping[str, str]], EhrAdapter]

_BUILDERS: dict[str, Builder] = {}


def register(name: str) -> Callable[[Builder], Builder]:
    """Register a function ``(config, environ) -> adapter`` under ``name``.

    ``config`` is plain JSON of the target; secrets are not in it: it names environment
    variables, which the builder reads from ``environ``.
    """

    def keep(builder: Builder) -> Builder:
        if name in _BUILDERS:
            raise ValueError(f"The adapter name {name!r} is taken.")
        _BUILDERS[name] = builder
        return builder

    return keep


def adapter_names() -> tuple[str, ...]:
    """Return all registered names, sorted."""
    return tuple(sorted(_BUILDERS))


def create_adapter(
    name: str, config: Config, environ: Mapping[str, str] = os.environ
) -> EhrAdapter:
    """Build the adapter ``name`` for one target; nothing is sent yet.

    Raises:
        Unsupported: no such adapter, or its configuration is wrong (the message says how).
        AuthFailed: an environment variable that holds a secret is not set.
    """
    if name not in _BUILDERS:
        raise Unsupported(f"No adapter {name!r}; there are: {', '.join(adapter_names())}.")
    return _BUILDERS[name](config, environ)


def config_text(config: Config, key: str, default: str | None = None) -> str:
    """Return a text value of ``config``.

    Raises:
        Unsupported: it is missing (and there is no default) or not text.
    """
    value = config.get(key, default)
    if not isinstance(value, str) or (value == "" and default is None):
        raise Unsupported(f"The target's configuration needs {key!r} as text.")
    return value
