"""What the tests of pages share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.report import browser


@pytest.fixture(scope="module")
def page() -> Iterator[browser.Page]:
    """A browser; a test that asks for it is skipped where there is none."""
    from tests.report import browser

    if browser.CHROMIUM is None or browser.DRIVER is None:
        pytest.skip("chromium is not installed")
    with browser.browser() as page:
        yield page
