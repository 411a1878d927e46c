"""Both sides in one file of speedscope (https://www.speedscope.app, `src/lib/file-format-spec.ts`)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_ethrex_perf.version import version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_ethrex_perf.profile.stacks import Frames

_SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def dump(name: str, profiles: Mapping[str, Mapping[Frames, float]]) -> str:
    """The file's content: a sampled profile for each of `profiles` (`base`, `head`), ms by stack."""
    index: dict[str, int] = {}
    shown = []
    for title, stacks in profiles.items():
        ordered = sorted(stacks.items())
        shown.append(
            {
                "type": "sampled",
                "name": title,
                "unit": "milliseconds",
                "startValue": 0,
                "endValue": sum(value for _, value in ordered),
                "samples": [
                    [index.setdefault(frame, len(index)) for frame in frames] for frames, _ in ordered
                ],
                "weights": [value for _, value in ordered],
            }
        )
    content = {
        "$schema": _SCHEMA,
        "name": name,
        "exporter": f"pytest-ethrex-perf@{version()}",
        "activeProfileIndex": len(shown) - 1,
        "shared": {"frames": [{"name": frame} for frame in index]},
        "profiles": shown,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"
