"""A perf of any version on any machine: it counts what its plan says, and obeys `--control`.

`write` makes an executable called perf. Plan: `version`, what it prints for that; `per_repeat`, what each
event (as it is asked for) counts in a repeat, or `<not supported>`; `running`, percent of the time; `load`,
repeats' worth of what it counts before the first one; `by_program`, a factor for programs of that name, and
`noise`, the sd of what processes differ by; `returncode` and `says` of a perf that counts nothing;
`unknown`, an event that it refuses; `silent`, it never answers; `raw`, what it writes instead of rows.
"""

from __future__ import annotations

import json
import random
import shlex
import subprocess
import sys
import threading
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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
    switched: list[str] = []
    if "--control" in options:
        fifos = options[options.index("--control") + 1].removeprefix("fifo:").split(",")
        obeying = threading.Thread(target=obey, args=(*fifos, switched, plan.get("silent")), daemon=True)
        obeying.start()
    returncode = subprocess.run(program, check=False).returncode
    if "--control" in options and returncode == 0 and not plan.get("silent"):
        obeying.join(1)  # it ends with the second command, which may be late where the program takes no time
    if "--control" not in options:
        repeat = int(program[program.index("--repeat") + 1]) if "--repeat" in program else 1
        repeats = repeat + plan.get("load", 0)
    else:
        repeats = int(program[program.index("--repeat") + 1]) - 1 if switched == ["enable", "disable"] else 0
    factor = factor_of(plan, program, len(asked(perf)))
    written = plan.get("raw") or "".join(
        row(plan, event, repeats, factor, json_="-j" in options) for event in events
    )
    Path(options[options.index("-o") + 1]).write_text(f"# started on Mon Nov 23 02:56:13 2026\n\n{written}")
    sys.exit(returncode)


def factor_of(plan: dict[str, Any], program: list[str], number: int) -> float:
    """What the program's name stands for, and a little more or less in every process."""
    factor = float(plan.get("by_program", {}).get(Path(program[0]).name, 1))
    chance = random.Random(f"{Path(program[0]).name} {number}")  # noqa: S311 - nothing secret
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


def obey(control: str, answers: str, switched: list[str], silent: object) -> None:
    with Path(control).open() as commands, Path(answers).open("w") as answer:
        for command in commands:
            switched.append(command.strip())
            if not silent:
                answer.write("ack\n\0")
                answer.flush()
            if command.strip() == "disable":
                return


if __name__ == "__main__":
    main()
