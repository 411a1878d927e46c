"""--ethrex-machine: a name for a fleet of equal machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_the_name_is_the_baselines_key(bench: Bench) -> None:
    result = bench.record(bench.program("head"), "--ethrex-machine=Office-4", "--ethrex-json=results.json")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["ethrex-perf *machine office-4 | record"])
    assert (bench.path / "baselines" / "mainnet" / "24443168" / "ethrex-office-4.json").exists()
    assert bench.results().machine == "office-4"


def test_without_it_the_machine_goes_by_its_own_key(bench: Bench) -> None:
    bench.record(bench.program("head"), "--ethrex-json=results.json")
    (file,) = (bench.path / "baselines" / "mainnet" / "24443168").iterdir()
    assert file.name == f"ethrex-{bench.results().machine}.json"


@pytest.mark.parametrize("name", ["a/b", "..", "-x", "näme", "x" * 65, " "])
def test_a_name_that_is_no_part_of_a_files_name_is_refused(bench: Bench, name: str) -> None:
    assert bench.refuse("--ethrex-block=1", f"--ethrex-machine={name}").startswith("--ethrex-machine")
