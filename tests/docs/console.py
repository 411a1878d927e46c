"""Console blocks of a page: what a reader types, and what is shown of the answer."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT_CODE = re.compile(r"# exit code (\d+)$")
_HERE_DOCUMENT = re.compile(r"<<'(\w+)'")
_MARK = "--- command"


@dataclass(frozen=True)
class Command:
    """One command, with the lines that the page shows of its output: `…` and numbers stand for any."""

    text: str
    lines: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """What the page says, 0 if it says nothing."""
        match = _EXIT_CODE.search(self.text)
        return int(match[1]) if match else 0

    def missing(self, output: str) -> list[str]:
        """The lines of the page that `output` does not have, in this order."""
        rest, missing = output, []
        for line in self.lines:
            if match := re.search(_pattern(line), rest, re.MULTILINE):
                rest = rest[match.end() :]
            else:
                missing.append(line)
        return missing


def _pattern(line: str) -> str:
    pieces = re.split(r"(\s*…\s*|\s+)", line.strip())
    return "".join(
        ".*" if "…" in piece else r"\s+" if not piece.strip() else re.escape(piece) for piece in pieces
    )


def commands(page: str) -> list[Command]:
    """Every command of the page's console blocks, in order."""
    return [command for block in _BLOCK.findall(page) for command in _of_block(block)]


def _of_block(block: str) -> Iterator[Command]:
    lines = block.splitlines()
    while lines:
        text = lines.pop(0)
        assert text.startswith("$ "), f"output before the first command: {text}"
        while text.endswith("\\"):
            text += "\n" + lines.pop(0)
        if here := _HERE_DOCUMENT.search(text):
            end = lines.index(here[1]) + 1
            text, lines = "\n".join((text, *lines[:end])), lines[end:]
        shown = []
        while lines and not lines[0].startswith("$ "):
            shown.append(lines.pop(0))
        yield Command(text.removeprefix("$ "), tuple(shown))


def run(commands: Sequence[Command], cwd: Path, environ: Mapping[str, str]) -> list[tuple[int, str]]:
    """Type them into one shell; return exit code and output of each."""
    script = "".join(f"{command.text}\ncode=$?; echo; echo '{_MARK}' $code\n" for command in commands)
    ran = subprocess.run(
        ["bash", "-c", script], stdin=subprocess.DEVNULL, cwd=cwd, env=environ, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    pieces = re.split(rf"\n{_MARK} (\d+)\n", ran.stdout)
    return [(int(code), output) for output, code in zip(pieces[::2], pieces[1::2], strict=False)]
