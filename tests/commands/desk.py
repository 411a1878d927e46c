"""What the tests of the commands share: results files of every kind, and a desk to work on them."""

from __future__ import annotations

import itertools
import json
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.baseline.schema import Session, moment
from pytest_ethrex_perf.gate import schedule
from pytest_ethrex_perf.records import results_file
from pytest_ethrex_perf.report import terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeAlias

    import pytest

    from pytest_ethrex_perf.baseline.schema import Baseline
    from pytest_ethrex_perf.records.result import RunResult
    from tests.conftest import Bench

    Edit: TypeAlias = Callable[[Any], object]

FILES = 10
CUT_SHORT = 9  # pairs after which the run of `cut.json` has no more time; `brief` has 3, `stopped` 30 in all


class Ran(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> str:
        """The output as if no line were ever wrapped."""
        return " ".join(self.out.split())

    @property
    def widest(self) -> int:
        return max(map(terminal.width, self.out.splitlines()))


class Desk:
    """A directory with the results files, where commands are run and files are edited."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self._capsys = capsys

    def run(self, *words: str) -> Ran:
        code = cli.main(words)
        return Ran(code, *self._capsys.readouterr())

    def load(self, name: str) -> RunResult:
        return results_file.load(self.path / name)

    def edit(self, name: str, edit: Edit, to: str | None = None) -> None:
        """Change a results file into that of another run, which would have seals of its own."""

        def unsealed(content: Any) -> None:
            edit(content)
            content["sha256"] = None
            for block in content["blocks"]:
                block["raw_sha256"] = None

        self.tamper(name, unsealed, to)

    def tamper(self, name: str, edit: Edit, to: str | None = None) -> None:
        """Change a JSON file by hand, and leave its seals as they are."""
        content = json.loads((self.path / name).read_text())
        edit(content)
        (self.path / (to or name)).write_text(json.dumps(content))

    def split(self, name: str) -> None:
        """Write the sides of an interleaved run as `base.json` and `head.json`, each of one program."""

        def alone(side: str) -> Edit:
            def edit(content: Any) -> None:
                for block in content["blocks"]:
                    block["invocations"] = [pair[side] for pair in block["pairs"]]
                    block |= {"mode": "record", "pairs": [], "metrics": [], "base": None}
                    block["head"] = block["head"] if side == "head" else sides[block["block"]]
                content["suite"] = []

            return edit

        content = json.loads((self.path / name).read_text())
        sides = {block["block"]: block["base"] for block in content["blocks"]}
        for side in ("base", "head"):
            self.edit(name, alone(side), f"{side}.json")


def measure(bench: Bench, patch: pytest.MonkeyPatch) -> None:
    """Run the gates whose results files the tests look at; `baseline.json` is the stored baseline."""
    bench.cache(1, 2, 3, 4)
    base = bench.program("base")
    slow = bench.program("slow", exec_ms=64, prep_ms=30.75)  # prep takes longer to decide than exec
    noisy = bench.program("noisy", noise=0.1)
    both = "--ethrex-metrics=exec,prep"
    bench.compare(slow, base, both, "--ethrex-json=slower.json")
    bench.compare(bench.program("head"), base, "--ethrex-json=four.json", block="1..4")
    bench.compare(
        bench.program("level", noise=0), bench.program("flat", noise=0), "--ethrex-json=steady.json"
    )
    alone = "--ethrex-archive-size=0"  # else the baseline's program would be run again
    bench.gate(f"--ethrex-replay={base}", "--ethrex-update-baseline", alone, "--ethrex-json=recorded.json")
    _add_days(bench)
    bench.gate(f"--ethrex-replay={slow}", alone, "--ethrex-json=stored.json")
    bench.compare(noisy, base, "--ethrex-json=noisy.json")
    for name, blocks, pairs in (("cut", "1", CUT_SHORT), ("brief", "1", 3), ("stopped", "1..4", 30)):
        turns = itertools.count()
        patch.setattr(schedule.Budget, "exhausted", lambda _, turns=turns, pairs=pairs: next(turns) >= pairs)
        bench.compare(noisy, base, f"--ethrex-json={name}.json", block=blocks)

    files = {file.name for file in bench.path.glob("*.json")}
    assert len(files) == FILES, files


def _add_days(bench: Bench) -> None:
    """Give the baseline two more sessions, of the days before."""
    (file,) = store.files(bench.path / "baselines")

    def earlier(baseline: Baseline) -> Baseline:
        (today,) = baseline.epoch.sessions
        days = [
            Session.of(
                today.program,
                today.machine,
                tuple(
                    msgspec.structs.replace(one, exec_ns=tuple(int(factor * ns) for ns in one.exec_ns))
                    for one in today.invocations
                ),
                started=(moment(today.started) - timedelta(days=day)).isoformat(),
            )
            for day, factor in ((2, 1.008), (1, 0.997))
        ]
        epoch = msgspec.structs.replace(baseline.epoch, sessions=(*days, today), started=days[0].started)
        return msgspec.structs.replace(baseline, epochs=(epoch,))

    store.change(file, earlier)
    shutil.copy(file, bench.path / "baseline.json")
