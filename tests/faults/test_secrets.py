"""What a CI's environment holds is shown nowhere, not even where we go wrong ourselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.host import process
from pytest_ethrex_perf.records.environment import Environment

if TYPE_CHECKING:
    import pytest

    from tests.conftest import Bench

KEY = "0123456789abcdef"


def _fail(*_: object, **__: object) -> None:
    raise ZeroDivisionError(f"over https://rpc.example.org/v2/{KEY}")


def test_an_unexpected_exception_shows_no_locals(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHREX_RPC_URL", f"https://rpc.example.org/v2/{KEY}")
    monkeypatch.setenv("SOME_TOKEN", f"token-{KEY}")
    monkeypatch.setattr(process, "run", _fail)
    for verbosity in ("-q", "-vv"):
        result = bench.record(bench.program("head"), "-l", verbosity, "--junitxml=junit.xml")
        result.assert_outcomes(errors=1)
        shown = result.stdout.str() + result.stderr.str() + (bench.path / "junit.xml").read_text()
        assert KEY not in shown
        assert "ZeroDivisionError: over https://rpc.example.org" in shown
        assert "this is a bug of pytest-ethrex-perf: please report it" in shown
        assert "invocation.py" in shown, "where it was raised"


def test_an_environment_shows_nothing_of_itself() -> None:
    environ = Environment({"TOKEN": KEY}, PATH="/bin")
    assert repr(environ) == f"{environ}" == "<environment of 2 variables>"
    assert environ == {"TOKEN": KEY, "PATH": "/bin"}
