"""The body of a pull request's comment: a report or a status, its mark first, within the platform's limit."""

from __future__ import annotations

from pytest_ethrex_perf.report import escape
from pytest_ethrex_perf.report.markdown import COMMENT_LIMIT, MARK

_LONGEST = 300  # characters of a status
_RESERVE = 200  # characters for the closing tags, and for the word that says what was cut


def of_report(markdown: str, footer: str = "", limit: int = COMMENT_LIMIT) -> str:
    """Return `markdown` as a comment of at most `limit` characters: cut on a line, and said so.

    What was folded or preformatted where it is cut is closed, so that the `footer` is seen.
    """
    text = escape.plain(markdown).removeprefix(MARK).strip("\n")
    end = f"\n\n{footer}\n" if footer else "\n"
    room = limit - len(MARK) - 1 - len(end)
    return f"{MARK}\n{text if len(text) <= room else _cut(text, room)}{end}"


def of_status(status: str, footer: str = "") -> str:
    """Return a comment that says how far a run is: `gating: 3 of 11 blocks`."""
    end = f"\n\n{footer}\n" if footer else "\n"
    return f"{MARK}\n### ⏳ ethrex-perf: {escape.markdown(status, _LONGEST)}{end}"


def is_ours(body: str) -> bool:
    """Return whether a comment of this `body` was made by this module: its mark is the first line."""
    return body.splitlines()[:1] == [MARK]


def _cut(text: str, room: int) -> str:
    """The first lines of `text` that fit into `room` with what closes them."""
    lines = text.split("\n")
    used = kept = 0
    for line in lines:
        used += len(line) + 1
        if used > room - _RESERVE:
            break
        kept += 1
    shown = lines[:kept]
    whole = "\n".join(shown)
    closing = [
        f"</{tag}>"
        for tag in ("pre", "details")
        for _ in range(max(0, whole.count(f"<{tag}>") - whole.count(f"</{tag}>")))
    ][:8]
    return "\n".join([*shown, *closing, "", f"… cut here: {len(lines) - kept} more lines do not fit."])
