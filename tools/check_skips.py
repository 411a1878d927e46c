"""Fail when a test was skipped for want of something that CI could have installed.

Usage: python tools/check_skips.py build/junit.xml
"""

from __future__ import annotations

import sys

from junitparser import JUnitXml, Skipped


def main(path: str) -> int:
    """Print every skip; 1 if there is one, or if there was no test."""
    report = JUnitXml.fromfile(path)
    suites = list(report) if isinstance(report, JUnitXml) else [report]
    cases = [case for suite in suites for case in suite]
    skipped = [
        (case, result.message or "")
        for case in cases
        for result in case.result
        if isinstance(result, Skipped)
    ]
    lines = [f"{case.classname}::{case.name}: {why}" for case, why in skipped]
    print("\n".join(lines) or f"{len(cases)} tests, none was skipped")
    return 1 if skipped or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
