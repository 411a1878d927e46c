"""What is kept of a failed invocation: enough to see why, and never a full disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.host.process import Finished
from pytest_ethrex_perf.records.measurement import Usage
from pytest_ethrex_perf.replay import transcript

if TYPE_CHECKING:
    from pathlib import Path

USAGE = Usage(user_ns=1, system_ns=1, max_rss_kib=1, voluntary_switches=1, involuntary_switches=1)


def finished(stdout: str = "", stderr: str = "") -> Finished:
    return Finished(
        returncode=1,
        timed_out=False,
        stdout=stdout,
        stderr=stderr,
        left_out=0,
        usage=USAGE,
        wall_ns=1,
        started="2026-02-18T08:00:00+00:00",
    )


def keep(folder: Path, name: str = "mainnet-1-head-001", stdout: str = "", stderr: str = "") -> str:
    return transcript.keep(["x"], finished(stdout, stderr), log_dir=folder, name=name, redact=str)


def test_what_fits_is_kept_whole(tmp_path: Path) -> None:
    assert (
        keep(tmp_path, stdout="a\n", stderr="b")
        == f"the whole output is in {tmp_path}/mainnet-1-head-001.log"
    )
    text = (tmp_path / "mainnet-1-head-001.log").read_text()
    assert text.endswith("# ---- stdout\na\n# ---- stderr\nb\n# (no newline at the end)\n")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_long_output_loses_its_middle(tmp_path: Path, stream: str) -> None:
    size = transcript.LIMIT * 4
    clause = keep(tmp_path, **{stream: "begin" + "x" * size + "end"})
    assert clause == f"its output, but for the middle, is in {tmp_path}/mainnet-1-head-001.log"
    text = (tmp_path / "mainnet-1-head-001.log").read_text()
    assert len(text) < transcript.LIMIT + 1000
    assert "begin" in text
    assert "xend" in text
    assert f"[… {size + 8 - transcript.LIMIT:,} characters left out …]" in text


def test_a_secret_is_not_cut_in_two(tmp_path: Path) -> None:
    secret = "S" * 40
    stdout = "x" * (transcript.LIMIT // 2 - 20) + secret + "x" * transcript.LIMIT

    def redact(text: str) -> str:
        return text.replace(secret, "<redacted>")

    transcript.keep(["x"], finished(stdout), log_dir=tmp_path, name="mainnet-1-head", redact=redact)
    assert "S" not in (tmp_path / "mainnet-1-head.log").read_text()


def test_the_oldest_files_are_removed_and_no_file_of_others(tmp_path: Path) -> None:
    others = ("server.log", "mainnet-1-other.log", "mainnet-1-head.txt")
    for name in others:
        (tmp_path / name).write_text("not ours")
        os.utime(tmp_path / name, (0, 0))
    for number in range(transcript.KEPT + 5):
        name = f"mainnet-{number}-head-001"
        keep(tmp_path, name)
        os.utime(tmp_path / f"{name}.log", (number + 1, number + 1))
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {*others, *(f"mainnet-{number}-head-001.log" for number in range(5, transcript.KEPT + 5))}
