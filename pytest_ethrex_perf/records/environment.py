"""The variables of an environment, which no traceback shows."""

from __future__ import annotations


class Environment(dict[str, str]):
    """Variables by name; its repr says how many. `pytest -l` shows every local, and a CI's hold keys."""

    def __repr__(self) -> str:
        """`<environment of 42 variables>`."""
        return f"<environment of {len(self)} variables>"
