"""JSON that is nested too deep is refused before a decoder recurses into it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ethrex_perf.records import nesting

if TYPE_CHECKING:
    from pathlib import Path

DEEP = 100_000
JSON = st.recursive(
    st.none() | st.integers() | st.text(alphabet='[]{}"\\a\n€', max_size=300),
    lambda inner: st.lists(inner, max_size=150) | st.dictionaries(st.text('[{"\\', max_size=5), inner),
    max_leaves=30,
)
READ = """
import sys
from typing import TYPE_CHECKING
from pathlib import Path
sys.setrecursionlimit(1_000_000)
from pytest_ethrex_perf.errors import EthrexPerfError
from pytest_ethrex_perf.baseline import archive, reference, store
from pytest_ethrex_perf.counters import perf_output
from pytest_ethrex_perf.embedded import cachefile
from pytest_ethrex_perf.host import lock
from pytest_ethrex_perf.profile import samply, stacks
from pytest_ethrex_perf.pytest_run.xdist_results import Inbox
from pytest_ethrex_perf.records import results_file
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.replay import cache

path = Path(sys.argv[1])
text = path.read_text()
for read in (
    lambda: results_file.load(path),
    lambda: store.load(path),
    lambda: reference.load(path),
    lambda: stacks.read_profile(path),
    lambda: cache.read(path, BlockId("hoodi", 1)),
    lambda: cachefile.read(path),
    lambda: lock._holder(text.encode()),
    lambda: samply._load(path),
):
    try:
        read()
    except (EthrexPerfError, ValueError) as error:
        assert "deep" in str(error), error
    else:
        raise AssertionError(text[:40])
assert archive._read(path) is None
assert perf_output.read(text) == []
Inbox().read("gw0", text)
"""


@pytest.mark.parametrize(
    "content",
    [
        "[" * DEEP,
        "[" * DEEP + "]" * DEEP,
        '{"a":' * DEEP,
        '[{"a":' * DEEP + "1",
        '["\\\\",' * DEEP,
        "[" * 101,
    ],
)
def test_deeper_than_any_file_is_refused(content: str) -> None:
    with pytest.raises(ValueError, match="more than 100 deep"):
        nesting.check(content)


@pytest.mark.parametrize(
    "content",
    ["[" * 100 + "]" * 100, '"' + "[" * DEEP + '"', '["\\"' + "[" * DEEP, "[" + "[]," * DEEP, b"\xff[", ""],
)
def test_what_is_in_a_string_or_beside_it_is_not_deep(content: str | bytes) -> None:
    nesting.check(content)


@settings(max_examples=50, derandomize=True, deadline=None, database=None)
@given(JSON)
def test_no_sound_file_is_refused(content: object) -> None:
    nesting.check(json.dumps(content))
    nesting.check(json.dumps(content, ensure_ascii=False).encode())


@pytest.mark.parametrize(
    "content",
    ["[" * DEEP, '{"schema":' * DEEP, '{"event":' + "[" * DEEP + "]" * DEEP + "}"],
    ids=["lists", "objects", "counts"],
)
def test_no_reader_overflows_where_the_recursion_limit_is_raised(tmp_path: Path, content: str) -> None:
    file = tmp_path / "file.json"
    file.write_text(content)
    result = subprocess.run([sys.executable, "-c", READ, file], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
