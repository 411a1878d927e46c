"""What people may import: a few names, imported when they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pytest_ethrex_perf
from pytest_ethrex_perf.pytest_run import gated_block
from pytest_ethrex_perf.records import measurement, result

MODULES = """
import sys
import pytest_ethrex_perf
print(*(name for name in sys.modules if name.startswith("pytest_ethrex_perf")))
"""


def run(code: str) -> str:
    """What `code` prints in a Python of its own."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_its_names_are_the_classes_themselves() -> None:
    from pytest_ethrex_perf import BlockResult, GatedBlock, Invocation

    assert BlockResult is result.BlockResult
    assert GatedBlock is gated_block.GatedBlock
    assert Invocation is measurement.Invocation


def test_it_can_be_listed_and_imported_as_a_whole() -> None:
    assert (
        run("from pytest_ethrex_perf import *; print(BlockResult, GatedBlock, Invocation)").count("class")
        == 3
    )
    assert set(pytest_ethrex_perf.__all__) <= set(dir(pytest_ethrex_perf))


def test_another_name_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'pytest_ethrex_perf' has no attribute 'Campaign'"):
        _ = pytest_ethrex_perf.Campaign


def test_importing_the_package_imports_nothing_of_ours() -> None:
    assert run(MODULES).split() == ["pytest_ethrex_perf"]
