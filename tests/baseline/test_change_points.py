import msgspec
import pytest

from pytest_ethrex_perf.baseline import segments
from pytest_ethrex_perf.baseline.change_points import nights, with_changes
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.records.history import BlockHistory, HistoryChange
from tests.baseline import years


def found(block: BlockHistory, *metrics: str) -> tuple[HistoryChange, ...]:
    return with_changes(block, metrics or ("exec",)).changes


def test_three_changes_of_a_year_are_dated_within_a_session() -> None:
    changes = found(years.year((90, 5), (180, -4), (270, 8)))
    assert [change.change for change in changes] == pytest.approx([0.05, -0.04, 0.08], abs=0.01)
    for change, night in zip(changes, (90, 180, 270), strict=True):
        assert abs(int(change.start.session, 16) - night) <= 1
        assert change.before.started[:10] < years.date(night) <= change.after.started[:10]
        assert change.low < change.change < change.high


def test_ten_small_steps_are_one_change() -> None:
    (change,) = found(years.year(*((30 * n, 0.8) for n in range(1, 11)), noise=0.006))
    assert change.change == pytest.approx(1.008**10 - 1, abs=0.01)
    assert change.before.started[:10] <= years.date(60)
    assert change.after.started[:10] >= years.date(270)
    assert change.bisect is not None
    assert change.bisect.endswith("--all")


def test_ten_small_steps_in_ten_nights_are_one_change() -> None:
    (change,) = found(years.year(*((100 + n, 0.8) for n in range(10))))
    assert change.change == pytest.approx(1.008**10 - 1, abs=0.01)
    assert change.before.started[:10] <= years.date(103)
    assert change.after.started[:10] >= years.date(106)


def test_an_unchanged_year_has_no_change() -> None:
    assert found(years.year(metrics=("exec", "prep", "instructions")), "exec", "prep", "instructions") == ()


def test_a_slowdown_has_its_bisection() -> None:
    (change,) = found(years.year((90, 8), metrics=("exec",), noise=0.002))
    expected = f"ethrex-perf bisect {years.commit(89)[:12]} {years.commit(90)[:12]} --block mainnet/24443168"
    assert change.bisect == expected
    (counted,) = found(years.year((90, 8), metrics=("instructions",), noise=0.002), "instructions")
    assert counted.bisect == f"{expected} --metric instructions"


def test_no_commits_and_no_slowdown_have_no_bisection() -> None:
    for block in (years.without_commits(years.year((90, 8))), years.year((90, -8))):
        (change,) = found(block)
        assert change.bisect is None


def test_what_is_no_commit_is_not_to_be_typed() -> None:
    block = years.year((90, 8))
    sessions = [msgspec.structs.replace(session, commit="--all") for session in block.sessions[:90]]
    (change,) = found(msgspec.structs.replace(block, sessions=(*sessions, *block.sessions[90:])))
    assert change.bisect is None


def test_one_program_on_both_sides_is_a_change_of_the_machine() -> None:
    (change,) = found(years.year((90, 8), one_program=True))
    assert change.is_same_program
    assert change.bisect is None


def test_an_epoch_at_the_new_level_accepts_it() -> None:
    (change,) = found(years.year((90, 8), epochs=[(95, "EIP-7702")]))
    assert change.accepted == f"accepted on {years.date(95)}: EIP-7702"
    first, second = found(years.year((90, 8), (200, 5), epochs=[(95, "EIP-7702")]))
    assert (first.accepted is None, second.accepted is None) == (False, True)


def test_the_first_recording_of_a_baseline_accepts_nothing() -> None:
    block = years.year((90, 8))
    late = msgspec.structs.replace(block.epochs[0], started=block.sessions[100].started)
    (change,) = found(msgspec.structs.replace(block, epochs=(late,)))
    assert change.accepted is None


def test_a_waived_run_at_the_new_level_waives_it() -> None:
    block = years.year((90, 8))
    sessions = list(block.sessions)
    sessions[100] = msgspec.structs.replace(sessions[100], waived={"exec": "until the fork"})
    (change,) = found(msgspec.structs.replace(block, sessions=tuple(sessions)))
    assert change.accepted == f"waived on {years.date(100)}: until the fork"


def test_a_change_keeps_its_id_when_later_sessions_date_it_better() -> None:
    earlier = with_changes(years.year((90, 4), nights=98), ["exec"])
    (change,) = earlier.changes
    moved = msgspec.structs.replace(change, id="0123456789abcdef")
    (later,) = found(msgspec.structs.replace(years.year((90, 4)), changes=(moved,)))
    assert later.id == moved.id
    (again,) = found(years.year((90, 4)))
    assert again.id != moved.id


def test_sessions_of_one_program_and_night_are_one() -> None:
    block = years.year(nights=3)
    again = msgspec.structs.replace(
        block.sessions[0], id="a" * 12, started=block.sessions[0].started.replace("T02", "T04")
    )
    other = msgspec.structs.replace(again, id="b" * 12, program="f" * 12)
    row = nights(
        msgspec.structs.replace(block, sessions=(block.sessions[0], again, other, *block.sessions[1:])),
        "exec",
    )
    assert [(night.first.id, night.last.id) for night in row] == [
        (block.sessions[0].id, again.id),
        (other.id, other.id),
        (block.sessions[1].id, block.sessions[1].id),
        (block.sessions[2].id, block.sessions[2].id),
    ]
    assert row[0].error == pytest.approx(0.003 / 2**0.5)


def test_what_was_counted_in_another_way_is_left_out() -> None:
    block = years.year(nights=3, metrics=("instructions",))
    level = msgspec.structs.replace(block.sessions[0].levels["instructions"], counted="otherwise")
    first = msgspec.structs.replace(block.sessions[0], levels={"instructions": level})
    row = nights(msgspec.structs.replace(block, sessions=(first, *block.sessions[1:])), "instructions")
    assert [night.first.id for night in row] == [session.id for session in block.sessions[1:]]


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ruptures", None)
    with pytest.raises(MeasurementError, match=r"pip install 'pytest-ethrex-perf\[history\]'"):
        found(years.year())
    assert segments.PENALTY > 0
