"""A perf of any version on any machine: it counts what its plan says, and obeys `--control`.

`write` makes an executable called perf. Plan: `version`, what it prints for that; `per_repeat`, what each
event (as it is asked for) counts in a repeat, or `<not supported>`; `running`, percent of the time;
`by_program`, a factor for programs of that name, and `noise`, the sd of what processes differ by;
`returncode` and `says` of a perf that counts nothing; `unknown`, an event that it refuses; `silent`, it never
answers; `raw`, what it writes instead of rows; `killed`, the signal that it dies of once the program runs.
"""

from __future__ import annotations

import json
import os
import random
import select
import shlex
import subprocess
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


PATIENCE_S = 60.0


def write(directory: Path, **plan: object) -> Path:
    """Write a perf of that plan into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    perf = directory / "perf"
    perf.with_suffix(".plan").write_text(json.dumps(plan))
    words = [sys.executable, "-IS", str(Path(__file__).resolve()), str(perf)]
    perf.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    perf.chmod(0o755)
    return perf


def asked(perf: Path) -> list[list[str]]:
    """The events of every count so far."""
    log = perf.with_suffix(".asked")
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def main() -> None:
    perf, arguments = Path(sys.argv[1]), sys.argv[2:]
    plan = json.loads(perf.with_suffix(".plan").read_text())
    if arguments == ["--version"]:
        sys.stdout.write(plan.get("version", "perf version 6.8.12") + "\n")
        sys.exit(2 if "version" in plan and "perf version" not in plan["version"] else 0)
    if "returncode" in plan:
        sys.stderr.write(plan["says"])
        sys.exit(plan["returncode"])
    at = arguments.index("--")
    options, program = arguments[:at], arguments[at + 1 :]
    events = [options[i + 1] for i, word in enumerate(options) if word == "-e"]
    if plan.get("unknown") in {event.partition(":")[0] for event in events}:
        sys.stderr.write(
            f"event syntax error: '{plan['unknown']}'\n                     \\___ parser error\n"
        )
        sys.exit(129)
    with perf.with_suffix(".asked").open("a") as log:
        log.write(json.dumps(events) + "\n")
    if "--control" in options:
        fifos = options[options.index("--control") + 1].removeprefix("fifo:").split(",")
        returncode, repeats = run_switched(
            program, *fifos, silent=bool(plan.get("silent")), killed=plan.get("killed")
        )
        returncode = max(0, returncode)  # perf succeeds though a signal kills its child
    else:
        returncode = max(0, subprocess.run(program, check=False).returncode)
        repeats = int(program[program.index("--repeat") + 1]) if "--repeat" in program else 1
    factor = factor_of(plan, program, len(asked(perf)))
    written = plan.get("raw") or "".join(
        row(plan, event, repeats, factor, json_="-j" in options) for event in events
    )
    Path(options[options.index("-o") + 1]).write_text(f"# started on Mon Nov 23 02:56:13 2026\n\n{written}")
    sys.exit(returncode)


def factor_of(plan: dict[str, Any], program: list[str], number: int) -> float:
    """What the program's name stands for, and a little more or less in every process."""
    name = Path(program[program.index("sh") + 2 if "sh" in program else 0]).name  # after the shell's words
    factor = float(plan.get("by_program", {}).get(name, 1))
    chance = random.Random(f"{name} {number}")  # noqa: S311 - nothing secret
    return factor * chance.lognormvariate(0, plan["noise"]) if "noise" in plan else factor


def row(plan: dict[str, Any], event: str, repeats: float, factor: float, *, json_: bool) -> str:
    per_repeat = plan.get("per_repeat", {}).get(event, "<not supported>")
    if isinstance(per_repeat, (int, float)):
        per_repeat *= factor
    running = plan.get("running", 100)
    unit = "msec" if event.startswith("task-clock") else ""
    if isinstance(per_repeat, str):
        value = per_repeat
    else:
        value = f"{per_repeat * repeats:.6f}" if json_ else f"{per_repeat * repeats:.0f}"
    if json_:
        fields = {"counter-value": value, "unit": unit, "event": event, "event-runtime": 374708}
        return (
            json.dumps(fields | {"pcnt-running": running, "metric-value": "0.77", "metric-unit": "x"}) + "\n"
        )
    return f"{value};{unit};{event};374708;{running:.2f};;\n"


def run_switched(
    program: list[str], control: str, answers: str, *, silent: bool, killed: int | None = None
) -> tuple[int, int]:
    """Run a program under `--control`: its exit code, and how many repeats began while perf was switched on.

    At the lines at which perf is switched, the program (which takes no time) waits until that has happened.
    """
    repeats, counting = 0, False
    with (
        open(control, "rb", buffering=0) as commands,  # noqa: PTH123 - pathlib costs milliseconds
        open(answers, "wb", buffering=0) as answer,  # noqa: PTH123
        subprocess.Popen(program, stdout=subprocess.PIPE) as process,
    ):
        assert process.stdout is not None
        if killed is not None:
            os.kill(os.getpid(), killed)
        for line in process.stdout:
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
            if b"--- Run 2/" in line or b"=== Profiling Results" in line:
                ready, _, _ = select.select([commands], [], [], PATIENCE_S)
                counting = bool(ready) and commands.read(64) == b"enable\n"
                if ready and not silent:
                    answer.write(b"ack\n\0")
            if b"--- Run " in line and counting:
                repeats += 1
    return process.returncode, repeats


if __name__ == "__main__":
    main()
