"""Fail when a branch changes the package and brings no changelog fragment (changelog.d/README.md).

Usage: python tools/check_fragments.py [BASE]. BASE is by default the first of origin/main and main that HEAD
has left. Where there is none, as in a shallow clone, there is nothing to compare with, and that is said.
"""

from __future__ import annotations

import subprocess
import sys

PACKAGE, FRAGMENTS = "pytest_ethrex_perf/", "changelog.d/+"


def git(*arguments: str) -> str | None:
    """What git prints; None if it fails."""
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def fork_point(bases: list[str]) -> str | None:
    """The commit at which HEAD left the first of `bases` that it shares one with, and is not itself."""
    head = git("rev-parse", "HEAD")
    for base in bases:
        commit = git("merge-base", base, "HEAD")
        if commit and commit != head:
            return commit
    return None


def main(bases: list[str]) -> int:
    """1 if a fragment is missing."""
    commit = fork_point(bases)
    if commit is None:
        print(f"changelog: none of {', '.join(bases)} to compare with")
        return 0
    changed = (git("diff", "--name-only", commit) or "").splitlines()
    changed += (git("ls-files", "--others", "--exclude-standard") or "").splitlines()
    package = [file for file in changed if file.startswith(PACKAGE)]
    if package and not any(file.startswith(FRAGMENTS) for file in changed):
        print(
            f"changelog: {package[0]} and {len(package) - 1} more changed since {commit[:8]}: add a fragment"
        )
        print("that says what users notice of it, +a-few-words.KIND.md (changelog.d/README.md)")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["origin/main", "main"]))
