"""Recording for real: the toy and the embedded program; limits and failures."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from pytest_ethrex_perf.embedded.bundled import BLOCK as BUNDLED
from pytest_ethrex_perf.embedded.bundled import bundled_dir
from pytest_ethrex_perf.errors import MeasurementError, NoAnswerError
from pytest_ethrex_perf.profile import analyses, record, stacks
from pytest_ethrex_perf.profile.sampling import Limits, Sampling
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.replay import program

if TYPE_CHECKING:
    from pytest_ethrex_perf.profile.perf import Perf
    from pytest_ethrex_perf.profile.stacks import Profile
    from pytest_ethrex_perf.records.measurement import Side

BLOCK = BlockId("mainnet", 24443168)


def recorded(
    spec: str,
    perf: Perf,
    where: Path,
    *,
    block: BlockId = BLOCK,
    cache_dir: Path | None = None,
    sampling: Sampling | None = None,
    repeat: int = 10,
) -> Profile:
    recorder = record.Recorder(
        perf,
        block,
        cache_dir=cache_dir or where,
        environ=os.environ,
        log_dir=where / "logs",
        repeat=repeat,
    )
    head = program.resolve(spec, cwd=Path.cwd(), environ=os.environ)
    return recorder.record(head, "head-001", sampling or Sampling())


def test_phases_are_cut_with_the_programs_own_times(profiles: dict[Side, list[Profile]]) -> None:
    for profile in profiles["base"]:
        loading, preparing, executing = (
            analyses.self_time(profile.folded([phase])) for phase in ("cache-io", "prep", "exec")
        )
        assert set(executing) >= {"ethrex_trie::Node::encode", "__KeccakF1600", "ethrex_levm::VM::op_sload"}
        # at a phase's edge a sample may be on the wrong side: its time is taken a little after its stack
        assert loading["serde_json::from_reader"] >= 0.8 * loading.total()
        assert preparing["ethrex_storage::prepare"] >= 0.8 * preparing.total()
        assert executing["serde_json::from_reader"] + executing["ethrex_storage::prepare"] <= 2
        assert executing.total() > 0.8 * profile.samples


def test_threads_of_one_name_are_told_apart(profiles: dict[Side, list[Profile]]) -> None:
    counts = analyses.threads(profiles["base"][0].folded(["exec"]))
    assert counts["block_executor_ (handle_merkleization)"] > counts["main"] > 0


def test_analyses_of_a_real_profile_name_what_the_program_does(profiles: dict[Side, list[Profile]]) -> None:
    executing = profiles["base"][0].folded(["exec"])
    assert set(analyses.opcodes(executing)) == {"SLOAD", "STATICCALL"}
    callers = analyses.callers(executing, lambda frame: "KeccakF1600" in frame)
    assert {"ethrex_trie::Node::hash", "ethrex_levm::VM::op_staticcall"} <= set(callers)
    assert analyses.crates(executing)["ethrex_blockchain"] > 0.9 * executing.total()


def test_each_profile_says_what_made_it(profiles: dict[Side, list[Profile]]) -> None:
    base, head = profiles["base"], profiles["head"]
    assert {profile.program_sha256 for profile in base}.isdisjoint(p.program_sha256 for p in head)
    assert {len(profile.exec_ns) for profile in (*base, *head)} == {8}
    assert len({profile.period_ns for profile in base}) == len(base)
    assert [profile.period_ns for profile in base] == [profile.period_ns for profile in head]


def test_frame_pointers_are_a_choice(perf: Perf, toy: Path, tmp_path: Path) -> None:
    profile = recorded(f"{toy} --unit 50000", perf, tmp_path, repeat=3, sampling=Sampling("fp"))
    assert profile.recorder.endswith("fp frames")
    assert "ethrex_trie::Node::encode" in analyses.self_time(profile.folded(["exec"]))


def test_the_embedded_program_is_profiled(perf: Perf, tmp_path: Path, interpreter: set[str]) -> None:
    profile = recorded("embedded", perf, tmp_path, repeat=2, block=BUNDLED, cache_dir=bundled_dir())
    executing = profile.folded(["exec"])
    assert executing.total() > 50
    assert analyses.self_time(executing).most_common(1)[0][0] in interpreter
    assert profile.folded(["cache-io"]).total() > 50
    told = (
        ["lost"] if len(interpreter) == 1 else ["lost", "have no function's name"]
    )  # lost: on a busy machine
    assert all(any(word in note for word in told) for note in profile.notes)


def test_the_limit_of_the_size_is_said(perf: Perf, toy: Path, tmp_path: Path) -> None:
    sampling = Sampling(frequency=9973, limits=Limits(mib=1))
    plain = type(perf)(perf.path, perf.version, compresses=False)
    with pytest.raises(
        MeasurementError, match="reached its limit of 1 MiB and was stopped: fewer repeats"
    ) as error:
        recorded(str(toy), plain, tmp_path, repeat=20, sampling=sampling)
    assert str(error.value).startswith("mainnet/24443168: not profiled: ")


def test_the_limit_of_the_time_is_said(perf: Perf, toy: Path, tmp_path: Path) -> None:
    sampling = Sampling(limits=Limits(timeout_s=0.5))
    with pytest.raises(MeasurementError, match=r"took longer than 0\.5 s under the profiler and was stopped"):
        recorded(f"{toy} --unit 900000000", perf, tmp_path, repeat=20, sampling=sampling)


def test_a_replay_that_does_not_count_is_no_profile(perf: Perf, tmp_path: Path) -> None:
    failing = tmp_path / "replay"
    failing.write_text("#!/bin/sh\nexit 3\n")
    failing.chmod(0o755)
    with pytest.raises(NoAnswerError, match="does not answer like ethrex-replay, but with nothing") as error:
        recorded(str(failing), perf, tmp_path)
    of_block = error.value.of_block
    assert of_block.startswith("mainnet/24443168: not profiled: the program failed with exit code 3")
    assert "; the whole" in of_block
    assert (tmp_path / "logs" / "mainnet-24443168-profile-head-001.log").exists()


def test_no_secret_reaches_a_profile(
    perf: Perf, toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETHREX_RPC_URL", "https://rpc.example.org/v2/0123456789abcdefkey")
    spec = f"{toy} --unit 20000 --rpc https://rpc.example.org/v2/0123456789abcdefkey"
    profile = recorded(spec, perf, tmp_path, repeat=2)
    assert b"0123456789abcdefkey" not in msgspec.json.encode(profile)


def test_base_and_head_meet_in_the_main_thread_whatever_their_files_are_called(
    perf: Perf, toy: Path, tmp_path: Path
) -> None:
    named = [tmp_path / name for name in ("ethrex-replay-of-the-pull-request", "0" * 64)]
    for path in named:
        shutil.copy2(toy, path)
    first, second = (recorded(f"{path} --unit 20000", perf, tmp_path, repeat=2) for path in named)
    threads = [{stack.thread for stack in profile.stacks} for profile in (first, second)]
    assert threads[0] == threads[1]
    assert "main" in threads[0]


@pytest.mark.parametrize(("kib", "taken"), [(20, 32), (40, 64)])
def test_deep_stacks_come_out_whole(perf: Perf, deep: Path, tmp_path: Path, kib: int, taken: int) -> None:
    recorder = record.Recorder(
        perf, BLOCK, cache_dir=tmp_path, environ=os.environ, log_dir=tmp_path / "logs", repeat=3
    )
    head = program.resolve(f"{deep} {kib}", cwd=tmp_path, environ=os.environ)
    ((_, profile),) = recorder.in_turns({"head": head}, 1, lambda rate: Sampling(frequency=rate))
    executing = profile.folded(["exec"])
    assert executing.total() > 20
    assert stacks.cut_off(executing) < 0.05
    assert profile.recorder.endswith(f"dwarf frames of {taken} KiB")
    assert analyses.inclusive(executing)["main"] > 0.95 * executing.total()


def test_stacks_deeper_than_what_is_taken_are_known_to_be_cut_off(
    perf: Perf, deep: Path, tmp_path: Path
) -> None:
    profile = recorded(f"{deep} 20", perf, tmp_path, repeat=2, sampling=Sampling(stack_bytes=8192))
    assert stacks.cut_off(profile.folded(["exec"])) > 0.9


def test_stacks_of_many_frames_come_out_whole(perf: Perf, deep: Path, tmp_path: Path) -> None:
    sampling = Sampling(stack_bytes=65_528)
    profile = recorded(f"{deep} 200 40", perf, tmp_path, repeat=2, sampling=sampling)
    executing = profile.folded(["exec"])
    assert stacks.cut_off(executing) < 0.05
    assert max(len(frames) for frames in executing) > 200
