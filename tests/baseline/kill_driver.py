"""Run as a program: records sessions, and keeps a program, in children that die at each system call in turn.

Prints a JSON list, one entry a death: what the parent found afterwards, and what recording again
made of it. A process of its own, since only one without threads can be forked safely.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from pytest_ethrex_perf.baseline import archive, store
from pytest_ethrex_perf.errors import EthrexPerfError
from pytest_ethrex_perf.replay.program import resolve
from tests import whole_programs
from tests.baseline.builders import BLOCK, MACHINE, add, make_session

KILLED = 9
CALLS = ("mkdir", "open", "write", "fsync", "replace", "unlink")
SCENARIOS: dict[str, tuple[int, str | None]] = {
    "create": (0, None),
    "append": (1, None),
    "accept": (1, "slower, and meant"),
    "program": (0, None),
}


def record(scenario: str, root: Path, recorded: int, reason: str | None) -> None:
    if scenario == "program":
        build = root.parent / "ethrex-replay"
        archive.Archive(root, 2**20).store(resolve(str(build), cwd=root, environ={}))
        return
    session = make_session(recorded, 70 if reason else 60)
    add(root, session, reason, rules={})


class Fatal:
    """Makes the process die at system call number `step`: `before` it, in the middle (`torn`), or `after`."""

    def __init__(self, step: int, manner: str) -> None:
        self.step, self.manner, self.count = step, manner, 0
        for name in CALLS:
            setattr(os, name, self.wrap(name, getattr(os, name)))

    def wrap(self, name: str, call: Any) -> Any:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            if self.count != self.step:
                return call(*args, **kwargs)
            sys.stdout.write(name)
            sys.stdout.flush()
            try:
                if self.manner == "torn" and name == "write":
                    call(args[0], bytes(args[1])[: len(args[1]) // 2])
                elif self.manner == "after":
                    call(*args, **kwargs)
            finally:
                os._exit(KILLED)

        return wrapped


def run(scenario: str, root: Path, step: int, manner: str) -> tuple[int, str]:
    """The child's exit status, and the system call that it died at."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writer, 1)
        Fatal(step, manner)
        try:
            record(scenario, root, *SCENARIOS[scenario])
        except BaseException:  # noqa: BLE001 - whatever it is: the parent must not see it as a success
            os._exit(1)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        name = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), name


def content(root: Path) -> str | None:
    """What a reader finds; None where there is no file. Raises where it is broken."""
    program = next((path.name for path in root.iterdir() if len(path.name) == 64), None)
    if program is not None:
        return f"{program} is {archive.Archive(root, 2**20).state(program)}"
    try:
        return store.dump(store.load(store.path(root, BLOCK, "ethrex", MACHINE.key)))
    except store.MissingBaselineError:
        return None


def main() -> None:
    scratch = Path(sys.argv[1])
    tempfile.tempdir = str(scratch)  # for the locks
    whole_programs.believe(pytest.MonkeyPatch())
    archive._clone = lambda *_: False  # a copy has more moments to die at than a reflink
    build = scratch / "ethrex-replay"
    build.write_text(f"#!/bin/sh\n{whole_programs.MARK}\n" * 1000)
    build.chmod(0o755)
    deaths = []
    for scenario, (recorded, reason) in SCENARIOS.items():
        template, whole = scratch / f"{scenario}-old", scratch / f"{scenario}-new"
        template.mkdir()
        for earlier in range(recorded):
            record(scenario, template, earlier, None)
        shutil.copytree(template, whole)
        record(scenario, whole, recorded, reason)
        for manner in ("before", "torn", "after"):
            for step in range(1, 100):
                root = scratch / "work"
                shutil.copytree(template, root)
                status, name = run(scenario, root, step, manner)
                if status == 0:
                    shutil.rmtree(root)
                    break
                entry = {"scenario": scenario, "manner": manner, "call": name, "status": status}
                try:
                    found = content(root)
                    entry["found"] = (
                        "old" if found == content(template) else "new" if found == content(whole) else "else"
                    )
                except EthrexPerfError as error:
                    entry["found"] = str(error)
                record(scenario, root, recorded, reason)
                entry["repeated"] = "new" if content(root) == content(whole) else "else"
                entry["files"] = sum(path.is_file() for path in root.rglob("*"))
                deaths.append(entry)
                shutil.rmtree(root)
    sys.stdout.write(json.dumps(deaths))


if __name__ == "__main__":
    main()
