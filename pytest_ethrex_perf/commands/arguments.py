"""The parser of the commands, and values of arguments that several commands read alike."""

from __future__ import annotations

import argparse
import difflib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class Parser(argparse.ArgumentParser):
    """A parser that says what a mistyped verb or option was meant to be; so do those of its verbs."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as argparse does; an option that is like one of this command is wrong usage here.

        What is left goes up to the parser of `ethrex-perf`, which knows no options of commands.
        """
        namespace, unknown = super().parse_known_args(args, namespace)
        for word in unknown:
            name = word.partition("=")[0]
            if name.startswith("--") and (meant := _closest(name, self._option_string_actions)):
                self.error(f"unrecognized argument {name}: did you mean {meant}?")
        return namespace, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse what is none of the choices, with the one that it is like."""
        choices = [str(choice) for choice in action.choices or ()]
        if choices and str(value) not in choices and (meant := _closest(str(value), choices)):
            raise argparse.ArgumentError(action, f"{value!r} is none: did you mean {meant!r}?")
        super()._check_value(action, value)


def _closest(name: str, names: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(name, names, n=1)), None)


def whole(text: str) -> int:
    """A whole number from 1 on; raises `ArgumentTypeError`, which argparse shows, for anything else."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return value
