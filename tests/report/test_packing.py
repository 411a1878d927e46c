"""What a browser does to inflate one of many texts, done here by zlib."""

from __future__ import annotations

import base64
import zlib

from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.report.packing import Packed, pack


def inflated(packed: Packed, part: str) -> str:
    data = zlib.decompress(base64.b64decode(packed.beginning) + base64.b64decode(part))
    return data[packed.skip :].decode()


@given(st.lists(st.text()))
def test_every_text_comes_back(texts: list[str]) -> None:
    packed = pack(texts)
    assert [inflated(packed, part) for part in packed.parts] == texts


def test_texts_that_are_alike_cost_little_and_long_ones_come_back() -> None:
    words = " ".join(str(number * number % 9973) for number in range(9_000))
    texts = [f"{name}: {words[:20_000]}" for name in ("first", "second", "third")]
    packed = pack(texts)
    assert max(map(len, packed.parts[1:])) < len(base64.b64encode(zlib.compress(texts[1].encode(), 9))) / 20
    packed = pack([words * 2, words])  # longer than what streams can refer back to
    assert inflated(packed, packed.parts[0]) == words * 2
    assert inflated(packed, packed.parts[1]) == words
