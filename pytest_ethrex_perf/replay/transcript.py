"""Keeping the whole output of an invocation that failed, in a file that its error names."""

from __future__ import annotations

import re
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.replay.output import strip_ansi

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_ethrex_perf.host.process import Finished

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


def keep(
    argv: Sequence[str], finished: Finished, *, log_dir: Path, name: str, redact: Callable[[str], str]
) -> str:
    """Write command, ending and whole output to `log_dir/name.log`; return `the whole output is in FILE`.

    An older file of that name is replaced. Where `log_dir` can't be written the file goes to the directory of
    temporary files; where that fails too, the clause returned says so. The file holds no secrets.
    """
    text = redact(_transcript(argv, finished))
    stem = _UNFIT.sub("_", name)
    try:
        log_dir.mkdir(parents=True, exist_ok=True)
        path = log_dir / f"{stem}.log"
        path.write_text(text, encoding="utf-8")
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
    return f"the whole output is in {path}"


def _transcript(argv: Sequence[str], finished: Finished) -> str:
    ending = finished.signal_name or f"exit code {finished.returncode}"
    usage = finished.usage
    memory = "" if usage.max_rss_kib is None else f", {usage.max_rss_kib:,} KiB at most"
    return (
        f"$ {shlex.join(argv)}\n"
        f"# started {finished.started}, {ending}{', timed out' if finished.timed_out else ''}, "
        f"{finished.wall_ns / 1e9:.3f} s wall, {usage.user_ns / 1e9:.3f} s user, "
        f"{usage.system_ns / 1e9:.3f} s system{memory}\n"
        f"# ---- stdout\n{_ended(strip_ansi(finished.stdout))}"
        f"# ---- stderr\n{_ended(strip_ansi(finished.stderr))}"
    )


def _ended(text: str) -> str:
    return f"{text}\n# (no newline at the end)\n" if text and not text.endswith("\n") else text
