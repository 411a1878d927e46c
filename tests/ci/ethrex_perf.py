"""`ethrex-perf` in a process of its own, which takes the programs of tests for what they stand for."""

from __future__ import annotations

import sys

import pytest

from pytest_ethrex_perf.cli import main
from pytest_ethrex_perf.replay import failure
from tests import whole_programs

if __name__ == "__main__":
    patch = pytest.MonkeyPatch()
    whole_programs.believe(patch)
    patch.setattr(failure, "of_lifetime", lambda *_: None)  # as `instant_programs`
    sys.exit(main())
