"""The table of forms and the options that ask for them."""

from __future__ import annotations

import pytest

from pytest_ethrex_perf.config.options import OPTIONS, WRITTEN
from pytest_ethrex_perf.report.forms import FORMS, Form
from tests.report import builders


def test_every_option_that_writes_has_its_form() -> None:
    assert [form.option for form in FORMS if form.option is not None] == list(WRITTEN)


@pytest.mark.parametrize("form", [form for form in FORMS if form.option], ids=lambda form: str(form.option))
def test_a_form_asks_for_a_directory_where_its_option_does(form: Form) -> None:
    assert (form.page is not None) == (OPTIONS[form.option or ""].metavar == "DIR")


def test_every_form_is_another() -> None:
    texts = {form.dump(builders.one()) for form in FORMS}
    assert len(texts) == len(FORMS)
