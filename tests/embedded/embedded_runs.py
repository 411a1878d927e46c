"""What the embedded program's tests share: a tiny block, made once, and a way to run the program on it."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

from pytest_ethrex_perf.embedded import program
from pytest_ethrex_perf.embedded.devblock import make
from pytest_ethrex_perf.embedded.recipe import Recipe

if TYPE_CHECKING:
    from pathlib import Path

TINY = Recipe(txs=4, seed=7, number=9_000_100)


@functools.cache
def tiny_text() -> str:
    """The tiny block's cache file."""
    return make(TINY)


def tiny_content() -> Any:
    """The tiny block's cache file as parsed JSON, to be tampered with."""
    return json.loads(tiny_text())


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def messages(self) -> list[str]:
        """The lines of stdout without timestamp, as `LEVEL target: message`."""
        return [line.partition("Z ")[2].lstrip() if "Z " in line else line for line in self.out.splitlines()]


def run(directory: Path, content: object, *arguments: str, number: int = TINY.number) -> Ran:
    """Run the program's `block` on some content, in this process and without colours."""
    text = content if isinstance(content, str) else json.dumps(content)
    (directory / f"cache_hoodi_{number}.json").write_text(text)
    cache = ("--cached", "--network", "hoodi", "--cache-dir", str(directory), "--no-zkvm")
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, NO_COLOR="1"),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = program.main(["block", str(number), *cache, *arguments])
    return Ran(code, out.getvalue(), err.getvalue())
