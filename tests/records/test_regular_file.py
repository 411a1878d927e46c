"""Files that somebody names, and that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.errors import EthrexPerfError
from pytest_ethrex_perf.records import results_file
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.replay import cache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4d' * 32}\nsize 12345678\n"


@pytest.mark.parametrize(
    "read",
    [
        results_file.load,
        store.load,
        lambda path: cache.read(path, BlockId("mainnet", 1)),
    ],
)
def test_of_a_pointer_of_git_lfs_it_is_said_how_to_get_the_file(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    file = tmp_path / "file.json"
    file.write_text(POINTER)
    with pytest.raises(
        EthrexPerfError, match=r"file\.json.*it is Git LFS's pointer to the file: type git lfs pull"
    ):
        read(file)
