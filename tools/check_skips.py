"""Fail when a test was skipped for want of something that CI could have installed.

Usage: python tools/check_skips.py build/junit.xml
"""

from __future__ import annotations

import sys

from junitparser import JUnitXml, Skipped

ALLOWED = ("shared data is not here",)  # real blocks and samples that are not part of the repository


def main(path: str) -> int:
    """Print every skip that is not allowed; 1 if there is one, or if there was no test."""
    report = JUnitXml.fromfile(path)
    suites = list(report) if isinstance(report, JUnitXml) else [report]
    cases = [case for suite in suites for case in suite]
    skipped = [
        (case, result.message or "")
        for case in cases
        for result in case.result
        if isinstance(result, Skipped)
    ]
    wrong = [
        f"{case.classname}::{case.name}: {why}"
        for case, why in skipped
        if not any(ok in why for ok in ALLOWED)
    ]
    print("\n".join(wrong) or f"{len(cases)} tests, {len(skipped)} skipped, none for want of a tool")  # noqa: T201
    return 1 if wrong or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
