"""The port: what the product asks of any EHR, whatever its kind."""

from __future__ import annotations

from typing import Protocol

from .model import Capabilities, Receipt, RemoteRef, RemoteStatus, Submission, SubmissionKey


class EhrAdapter(Protocol):
    """One EHR (or something that stands for one).

    Every method may raise the errors of ``ehr_adapters.errors``. An adapter keeps no state about
    pushes: after a crash a fresh one picks up from what the peer holds.
    """

    def capabilities(self) -> Capabilities:
        """Ask the peer what it can take."""
        ...

    def push(self, submission: Submission) -> Receipt:
        """Make the peer hold ``submission`` exactly once, however often this is called.

        Raises:
            Retryable: nothing was stored.
            Ambiguous: it may have been stored; the next push must say ``maybe_sent``.
            Rejected: the peer refused the content.
            AuthFailed: the peer refused us.
            Unsupported: the peer cannot take it; nothing was sent.
        """
        ...

    def find(self, key: SubmissionKey) -> RemoteRef | None:
        """Return where an earlier push lives, or None when the peer does not hold it."""
        ...

    def status(self, remote: RemoteRef) -> RemoteStatus:
        """Tell what has become of an earlier push."""
        ...
