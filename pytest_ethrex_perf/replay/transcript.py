"""Keeping the output of an invocation that failed, in a file that its error names."""

from __future__ import annotations

import contextlib
import re
import shlex
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.replay.output import strip_ansi

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_ethrex_perf.host.process import Finished

LIMIT = 2**21
"""Characters that are kept of each of stdout and stderr."""
KEPT = 100
"""Files that are kept: of a run in which everything fails, the last ones say as much as all."""
_NAME = re.compile(
    r".+-(?:[0-9]+|[a-z]+[0-9]+[KM]?)-(head|base|pilot|replay|fetch|generate|profile)(-[A-Za-z0-9._-]+)?\.log"
)
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


def keep(
    argv: Sequence[str], finished: Finished, *, log_dir: Path, name: str, redact: Callable[[str], str]
) -> str:
    """Write command, ending and output to `log_dir/name.log`; return `the whole output is in FILE`.

    An older file of that name is replaced, and of all such files the newest `KEPT` stay. What is longer than
    `LIMIT` loses its middle. Where `log_dir` can't be written the file goes to the directory of temporary
    files; where that fails too, the clause returned says so. The file holds no secrets.
    """
    # no secret is cut in two, and half of it kept
    outputs = [redact(strip_ansi(output)) for output in (finished.stdout, finished.stderr)]
    text = _transcript(redact(_heading(argv, finished)), *map(_shortened, outputs))
    stem = _UNFIT.sub("_", name)
    try:
        log_dir.mkdir(parents=True, exist_ok=True)
        path = log_dir / f"{stem}.log"
        path.write_text(text, encoding="utf-8")
        _prune(log_dir, path)
    except OSError as unwritable:
        try:
            # a name of its own: anybody may have put something at a known name in there
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", prefix=f"{stem}-", suffix=".log", delete=False
            ) as file:
                file.write(text)
        except OSError:
            return f"its output could not be kept: {log_dir}: {unwritable.strerror}"
        path = Path(file.name)
    if any(len(output) > LIMIT for output in outputs):
        return f"its output, but for the middle, is in {path}"
    return f"the whole output is in {path}"


def _prune(log_dir: Path, written: Path) -> None:
    """Remove the oldest files of ours in `log_dir`; whatever else is in there is not ours to remove."""
    dated = []
    for path in log_dir.glob("*.log"):
        with contextlib.suppress(OSError):  # another run prunes, too
            status = path.lstat()
            if path != written and stat.S_ISREG(status.st_mode) and _NAME.fullmatch(path.name):
                dated.append((status.st_mtime_ns, path))
    for _, path in sorted(dated, reverse=True)[KEPT - 1 :]:
        with contextlib.suppress(OSError):
            path.unlink()


def _shortened(text: str) -> str:
    left_out = len(text) - LIMIT
    if left_out <= 0:
        return text
    return f"{text[: LIMIT // 2]}\n[… {left_out:,} characters left out …]\n{text[-LIMIT // 2 :]}"


def _heading(argv: Sequence[str], finished: Finished) -> str:
    ending = finished.signal_name or f"exit code {finished.returncode}"
    usage = finished.usage
    memory = "" if usage.max_rss_kib is None else f", {usage.max_rss_kib:,} KiB at most"
    return (
        f"$ {shlex.join(argv)}\n"
        f"# started {finished.started}, {ending}{', timed out' if finished.timed_out else ''}, "
        f"{finished.wall_ns / 1e9:.3f} s wall, {usage.user_ns / 1e9:.3f} s user, "
        f"{usage.system_ns / 1e9:.3f} s system{memory}\n"
    )


def _transcript(heading: str, stdout: str, stderr: str) -> str:
    return f"{heading}# ---- stdout\n{_ended(stdout)}# ---- stderr\n{_ended(stderr)}"


def _ended(text: str) -> str:
    return f"{text}\n# (no newline at the end)\n" if text and not text.endswith("\n") else text
