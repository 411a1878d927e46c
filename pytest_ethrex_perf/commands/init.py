"""`ethrex-perf init`: writes what a repository needs to be gated; it asks and overwrites nothing."""

from __future__ import annotations

import difflib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pytest_ethrex_perf.errors import EthrexPerfError, UsageError
from pytest_ethrex_perf.host import files
from pytest_ethrex_perf.records import regular_file
from pytest_ethrex_perf.version import NAME

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from pytest_ethrex_perf.commands.requirement import Requirement
    from pytest_ethrex_perf.commands.surroundings import Surroundings

_DIFFERS = 1


@dataclass(frozen=True, slots=True)
class Proposal:
    """A file as it is and as it is proposed."""

    path: Path
    """Relative to the root."""
    before: str | None
    """None: there is none."""
    after: str
    adds: bool = False
    """It only adds lines: that is written, though the file is there."""

    @property
    def state(self) -> Literal["new", "same", "added", "differs"]:
        """What there is to do about it."""
        if self.before is None:
            return "new"
        if self.before == self.after:
            return "same"
        return "added" if self.adds else "differs"

    def diff(self) -> Iterator[str]:
        """What would change it into the proposal, as `patch -p1` and `git apply` take it."""
        name = self.path.as_posix()
        lines = difflib.unified_diff(
            (self.before or "").splitlines(keepends=True),
            self.after.splitlines(keepends=True),
            "/dev/null" if self.before is None else f"a/{name}",
            f"b/{name}",
        )
        for line in lines:
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command; its parser sets `run`, which takes the Namespace and returns the exit code."""
    text = (
        "look around and write what a repository needs to be gated: ethrex-perf.toml, an example test, lines "
        "of .gitignore, workflows"
    )
    more = (
        "It asks nothing and overwrites nothing: of a file that is there already and reads otherwise, the "
        "difference is shown. Exit code 0 if everything is in place, 1 if a file differs or can't be written."
    )
    parser = subparsers.add_parser("init", help=text, description=f"{text}. {more}")
    parser.add_argument(
        "directory", metavar="DIR", type=Path, nargs="?", default=Path(), help="default: where you are"
    )
    parser.add_argument("--dry-run", action="store_true", help="show it all as a patch, and write nothing")
    parser.add_argument(
        "--github",
        action="store_true",
        help="workflows, too: gate pull requests, of forks as well, comment on them, record and gate nightly",
    )
    parser.set_defaults(run=_init)


def _init(options: argparse.Namespace) -> int:
    from pytest_ethrex_perf.commands import requirement, scaffold, surroundings

    root = options.directory
    if not root.is_dir():
        raise UsageError(f"{root}: there is no such directory")
    seen = surroundings.look(root.resolve(), os.environ)
    _say("Seen:")
    for sentence in seen.sentences():
        _say(f"  {sentence}")
    if options.github and seen.top not in (None, seen.root):
        raise UsageError(
            f"--github: workflows belong to the top of a repository: ethrex-perf init --github {seen.top}"
        )
    package = requirement.of_this_package(os.environ) if options.github else None
    proposed = scaffold.files(seen, package)
    proposals = [_proposal(root, path, text) for path, text in proposed]
    if seen.in_git:
        proposals.append(_ignoring(root, scaffold.IGNORED, scaffold.ignored(seen)))
    if options.dry_run:
        return _show(proposals)
    _say("Files:")
    failed = [proposal for proposal in proposals if not _write(root, proposal)]
    _advise(seen, package, differing=any(proposal.state == "differs" for proposal in failed))
    return _DIFFERS if failed else 0


def _proposal(root: Path, path: Path, text: str) -> Proposal:
    return Proposal(path, _read(root / path), text)


def _ignoring(root: Path, path: Path, lines: list[str]) -> Proposal:
    """`.gitignore` with the `lines` that it does not have."""
    before = _read(root / path)
    there = {line.strip().strip("/") for line in (before or "").splitlines()}
    missing = [line for line in lines if line.strip("/") not in there]
    content = before or ""
    if missing and content and not content.endswith("\n"):
        content += "\n"
    return Proposal(path, before, content + "".join(f"{line}\n" for line in missing), adds=True)


def _read(file: Path) -> str | None:
    """What is in `file`, None where there is nothing; raises `EthrexPerfError` for what can't be read."""
    try:
        return regular_file.content(file).decode("utf-8", "surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise EthrexPerfError(f"{file}: can't be read: {error.strerror}") from None


def _show(proposals: list[Proposal]) -> int:
    """Print everything that would be written, and what differs, as one patch."""
    for proposal in proposals:
        for line in proposal.diff():
            sys.stdout.write(line)
    return _DIFFERS if any(proposal.state == "differs" for proposal in proposals) else 0


def _write(root: Path, proposal: Proposal) -> bool:
    """Write the file unless it is there; say what became of it; whether it is as proposed now."""
    file = root / proposal.path
    match proposal.state:
        case "same":
            _say(f"  as it should be: {file}")
        case "differs":
            _say(f"  left as it is:   {file}, which differs from what is proposed:")
            for line in proposal.diff():
                sys.stdout.write(f"    {line}")
            return False
        case state:
            try:
                files.replace(file, proposal.after.encode("utf-8", "surrogateescape"))
            except OSError as error:
                _say(f"  not written:     {file}: {error.strerror}")
                return False
            _say(f"  {'written:        ' if state == 'new' else 'added lines to:  '}{file}")
    return True


def _advise(seen: Surroundings, package: Requirement | None, *, differing: bool) -> None:
    """Say what to do next; `package` is what the workflows install."""
    if differing:
        again = "ethrex-perf init --github" if package else "ethrex-perf init"
        _say("Take over what you want of a difference by hand; to take over all of it: ")
        _say(f"  {again} --dry-run | patch -p1")
    _say("Next:")
    if package and package.doubt:
        _say(f"  in the workflows, have pip install 'git+https://HOST/OWNER/{NAME}@COMMIT', unless")
        _say(f"    an index has {package.word()}, which they ask for now: {package.doubt}")
    if seen.is_engine and seen.harness is None:
        _say("  git clone https://github.com/lambdaclass/ethrex-replay ../ethrex-replay")
    if seen.caches is None:
        _say("  ethrex-perf fetch 24443168       # with ETHREX_RPC_URL set, and --replay=PROGRAM")
    _say("  ethrex-perf doctor               # what this machine can measure, and what is missing")
    if seen.in_git and (seen.has_program or seen.is_engine):
        _say("  pytest --ethrex-block=all --ethrex-base=git:merge-base --ethrex-replay=git:HEAD")
    else:
        _say("  pytest --ethrex-block=all --ethrex-base=BUILT/BEFORE --ethrex-replay=BUILT/NOW")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
