"""How pytest-xdist hands out tests where blocks are among them: everything of one block to one worker.

Imported by the controller of a distributed run alone, where xdist is there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xdist.scheduler import LoadScheduling

from pytest_ethrex_perf.records import workload

if TYPE_CHECKING:
    import pytest
    from xdist.remote import Producer
    from xdist.workermanage import WorkerController

_ANY = r"[A-Za-z][A-Za-z0-9_]*"  # what is before a dash may be another parameter's value
_PUBLIC = ("mainnet", "sepolia", "hoodi", "holesky")


class BlockScheduling(LoadScheduling):  # type: ignore[misc] # xdist has no types
    """xdist's own `--dist=load`, except that the tests of one block stay together.

    Only their names are known here. Where no block is asked for by option, a name like `[api/1]` is some
    other test's: then only Ethereum's public networks and the one that is set count.

    `LoadScopeScheduling` with a `_split_scope` would be shorter, but it hands tests without a block out one
    by one, repeats the test that a worker did not survive (pytest-xdist#1371), and may never end after that
    (pytest-xdist#1378).
    """

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        network = config.getoption("ethrex_network") or config.getini("ethrex_network")
        networks = "|".join(re.escape(name) for name in (*_PUBLIC, *filter(None, [network])))
        if config.getoption("ethrex_block"):
            networks = _ANY
        self._block = re.compile(
            rf"(?<![\w/])(?:(?:{networks})/[0-9]+|{workload.NETWORK}/[a-z0-9-]+(?:,[a-z-]+=[0-9]+[KM]?)+)(?![\w/])"
        )

    def block(self, nodeid: str) -> str | None:
        """The block that a test is of, as far as its name tells."""
        match = self._block.search(nodeid.partition("::")[2])
        return match[0] if match else None

    def _send_tests(self, node: WorkerController, num: int) -> None:
        """Send the next `num` tests, and the others of their blocks."""
        assert self.collection is not None  # noqa: S101 - as xdist does: there is nothing to send before
        blocks = {self.block(self.collection[index]) for index in self.pending[:num]} - {None}
        if blocks:
            rest = self.pending[num:]
            siblings = {index: None for index in rest if self.block(self.collection[index]) in blocks}
            self.pending[num:] = [*siblings, *(index for index in rest if index not in siblings)]
            num += len(siblings)
        super()._send_tests(node, num)
