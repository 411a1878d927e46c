from __future__ import annotations

from typing import Any

import pytest
from ethereum_rlp import rlp as spec_rlp
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.records import rlp

ITEMS: st.SearchStrategy[Any] = st.recursive(
    st.binary(max_size=80), lambda items: st.lists(items, max_size=8), max_leaves=40
)


@given(ITEMS)
def test_rlp_is_that_of_the_specs_and_decodes_to_what_was_encoded(item: Any) -> None:
    encoded = rlp.encode(item)
    assert encoded == spec_rlp.encode(item)
    assert rlp.decode(encoded) == item


@given(ITEMS.filter(lambda item: len(item) > 1))
def test_rlp_that_is_cut_or_goes_on_is_refused(item: Any) -> None:
    encoded = rlp.encode(item)
    for broken in (encoded[:-1], encoded + b"\0"):
        with pytest.raises(ValueError, match="not one RLP item"):
            rlp.decode(broken)
