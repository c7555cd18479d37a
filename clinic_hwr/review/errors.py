"""What can keep a review action from happening; each error says what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from .models import Decision


class ReviewError(Exception):
    """Base of all refusals of this room. ``code`` is stable, the text is for people."""

    code = "review_error"


class InvalidDecision(ReviewError, ValueError):
    """The decision does not fit the field: an empty correction, an unknown kind."""

    code = "invalid_decision"


class InvalidField(ReviewError, ValueError):
    """A field cannot be added or named so: unknown name, page or box, or it is there already."""

    code = "invalid_field"


class Conflict(ReviewError):
    """Someone or something else got there first; the HTTP answer is 409."""

    code = "conflict"


class StaleDecision(Conflict):
    """The field was decided since the page was loaded.

    Attributes:
        current: the newest decision, made by somebody else or in another tab.
        submitted_kind, submitted_value: what was refused.
    """

    code = "stale_decision"

    def __init__(self, current: Decision | None, submitted_kind: str, submitted_value: str) -> None:
        super().__init__("This field was decided meanwhile. Compare both values and choose one.")
        self.current = current
        self.submitted_kind = submitted_kind
        self.submitted_value = submitted_value


class StaleBox(Conflict):
    """The box of the field was drawn anew since the page was loaded."""

    code = "stale_box"


class ReadingChanged(Conflict):
    """What was read in the field is not what the person saw: a box was drawn anew, or read."""

    code = "reading_changed"


class OtherPersonNeeded(Conflict):
    """The field waits for somebody else: a second or third pair of eyes."""

    code = "other_person_needed"


class InvalidQuestion(ReviewError, ValueError):
    """A question to the prescriber or a call lacks what makes it one; nothing was stored."""

    code = "invalid_question"


class InvalidKeys(ReviewError, ValueError):
    """A key map that cannot be worked with: a key means two things, or may not be used."""

    code = "invalid_keys"


class LeaseLost(Conflict):
    """The save carries no valid lease: it ended, or the scan was opened elsewhere."""

    code = "lease_lost"


class LeaseHeld(Conflict):
    """Somebody else is working on the scan now."""

    code = "lease_held"

    def __init__(self, holder_name: str, expires_at: datetime) -> None:
        super().__init__(f"{holder_name} is working on this scan now.")
        self.holder_name = holder_name
        self.expires_at = expires_at


class ScanFinished(Conflict):
    """The scan is in no state in which fields may be decided: released, rejected, not read yet."""

    code = "scan_finished"


class ContentChanged(Conflict):
    """The prescription is no longer what the signer saw; show it again before signing."""

    code = "content_changed"


class ReleaseRefused(ReviewError):
    """The prescription may not be signed yet.

    Attributes:
        problems: one sentence for each reason, in the order to work through.
    """

    code = "release_refused"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)
