"""One log line per event: time, level, logger, event name and ids; never patient data."""

from __future__ import annotations

import logging
import traceback
from types import TracebackType

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class IdsOnlyFormatter(logging.Formatter):
    """Formats exceptions as their class and where they were raised, without their message.

    The message of an exception often quotes the value that caused it, and in this product that
    value may be a patient's name. Source lines are the program's own text and stay.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 (logging's name)
        """Return the frames and the class of the exception and of those that led to it."""
        lines: list[str] = []
        error = ei[1]
        while error is not None:
            frames = traceback.extract_tb(error.__traceback__)
            lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
            lines.append(f"{type(error).__module__}.{type(error).__qualname__}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(lines)
