"""The files of which pages are made: templates, styles and scripts in `page/`."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from pytest_ethrex_perf.report import escape

if TYPE_CHECKING:
    from collections.abc import Callable

    import jinja2

_FOLDER = "page"


def template(name: str, **filters: Callable[..., object]) -> jinja2.Template:
    """Return a template that escapes every value, and knows these `filters`."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pytest_ethrex_perf.report", _FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: escape.plain(value) if type(value) is str else value,
    )
    environment.filters |= filters
    return environment.get_template(name)


def content(name: str) -> str:
    """Return the text of a style sheet or script."""
    return (resources.files("pytest_ethrex_perf.report") / _FOLDER / name).read_text(encoding="utf-8")
