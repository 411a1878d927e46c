from __future__ import annotations

import logging
import re
from types import SimpleNamespace

import pytest
from ruamel.yaml import YAML

from tools import docs_reference, docs_site

DOCS = docs_reference.ROOT / "docs"


def pages() -> list[str]:
    return sorted(path.relative_to(DOCS).as_posix() for path in DOCS.glob("**/*.md"))


@pytest.mark.parametrize("page", pages())
def test_every_page_is_in_the_navigation_and_its_links_lead_to_files(
    page: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert (
        f"- {page}\n" in (text := (docs_reference.ROOT / "mkdocs.yml").read_text()) or f": {page}\n" in text
    )
    docs_site.site_markdown((DOCS / page).read_text(), page)
    assert caplog.messages == []


def test_every_part_that_has_a_source_is_on_a_page() -> None:
    shown = re.findall(
        r"^<!-- made: (\S+) -->", "\n".join((DOCS / p).read_text() for p in pages()), re.MULTILINE
    )
    assert sorted(shown) == sorted((*docs_reference.PARTS, *docs_site.PAGES))


def test_a_link_leads_to_where_the_site_has_its_file(caplog: pytest.LogCaptureFixture) -> None:
    lead = docs_site.site_markdown
    assert lead("[a](../../README.md#outcomes)", "how-to/a.md") == "[a](../index.md#outcomes)"
    assert lead("[a](../decisions.md)", "how-to/a.md") == "[a](../decisions.md)"
    assert lead("[a](../../examples/test_bundled_block.py)", "how-to/a.md") == "a"
    assert lead("```\n[a](b)\n```", "a.md") == "```\n[a](b)\n```"
    assert lead("[a](https://b/c)", "a.md") == "[a](https://b/c)"
    assert caplog.messages == []
    lead("[a](nothing.md)", "how-to/a.md")
    assert caplog.messages == ["docs/how-to/a.md: there is no nothing.md"]


def test_the_front_page_is_the_readme() -> None:
    front = docs_site.site_markdown((DOCS / "index.md").read_text(), "index.md")
    assert front.startswith("# pytest-ethrex-perf")
    assert "](ci.md)" in front
    assert "](docs/" not in front


def test_a_part_without_a_source_and_a_file_of_another_host_are_warnings(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert docs_site.site_markdown("<!-- made: nothing -->", "a.md") == ""
    page = SimpleNamespace(file=SimpleNamespace(src_uri="a.md"))
    for output in (
        '<img src="https://b/c">',
        '<link rel="stylesheet" href="//b/c">',
        "<script src=http://b/c>",
    ):
        docs_site.on_post_page(output, page=page)
    docs_site.on_post_page('<a href="https://b/c">', page=page)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 4


def test_the_site_is_built_strictly() -> None:
    text = re.sub(r"!!python\S*", "", (docs_reference.ROOT / "mkdocs.yml").read_text())
    settings = YAML(typ="safe").load(text)
    assert settings["strict"] is True
    assert settings["theme"]["font"] is False
    assert {*settings["validation"]["links"].values()} == {"warn"}
