"""Times that files from anywhere name, whatever zone the reader is in."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(text: str) -> datetime:
    """Return the time that `text` says in ISO 8601, in UTC, as which one without a zone is taken.

    Raises ValueError.
    """
    moment = datetime.fromisoformat(text)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is in none of the years from 1 to 9999 in UTC") from None
