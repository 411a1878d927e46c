"""One kind of error for all that can be wrong with JSON."""

from __future__ import annotations

import pytest

from pytest_ethrex_perf.records import json_text
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.records.measurement import Record


class Point(Record, frozen=True):
    x: int


def test_it_is_read_as_the_kind() -> None:
    assert json_text.decode(b'{"x": 1}', Point) == Point(1)
    assert json_text.decode('["hoodi", 1, ""]', tuple[str, int, str]) == BlockId("hoodi", 1)


@pytest.mark.parametrize("content", [b"", b"{", b'{"x": "a"}', b"\xff", b"[" * 200])
def test_whatever_is_wrong_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        json_text.decode(content, Point)
