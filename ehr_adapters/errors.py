"""How a push can fail, by what the sender may do next."""

from __future__ import annotations


class AdapterError(Exception):
    """Base of all adapter failures.

    Messages are for operators: they name statuses and element paths, never patient values.
    """


class Retryable(AdapterError):
    """Nothing was stored at the peer; the same push may be tried again.

    Attributes:
        retry_after: seconds the peer asked us to wait, or None.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Ambiguous(AdapterError):
    """The request left us and no trustworthy answer came back: look up before any re-send.

    Attributes:
        retry_after: seconds the peer asked us to wait, or None.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Rejected(AdapterError):
    """The peer refused the content; sending the same again cannot help.

    Attributes:
        status: HTTP status, 0 when the refusal did not come over HTTP.
        outcome: the peer's own words (an OperationOutcome as JSON text), possibly cut, "" if none.
    """

    def __init__(self, message: str, *, status: int = 0, outcome: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.outcome = outcome


class Unamendable(Rejected):
    """What an earlier version left at the peer still stands there and we cannot change it.

    Something a clinician withdrew may still be active: a person must change it at the peer. The
    message names each resource and what to do.
    """


class AuthFailed(AdapterError):
    """The peer does not know us or does not let us write; a person must mend the credentials."""


class Unsupported(AdapterError):
    """The peer or the target's configuration cannot do what is asked; no byte was written."""
