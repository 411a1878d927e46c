"""How pytest-xdist hands out tests where blocks are among them: everything of one block to one worker.

Imported by the controller of a distributed run alone, where xdist is there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xdist.scheduler import LoadScheduling

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
    """

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        network = config.getoption("ethrex_network") or config.getini("ethrex_network")
        known = "|".join(re.escape(name) for name in (*_PUBLIC, *filter(None, [network])))
        names = _ANY if config.getoption("ethrex_block") else known
        self._block = re.compile(rf"(?<![\w/])(?:{names})/[0-9]+(?![\w/])")

    def block(self, nodeid: str) -> str | None:
        """The block that a test is of, as far as its name tells."""
        found = self._block.search(nodeid.partition("::")[2])
        return found[0] if found else None

    def _send_tests(self, node: WorkerController, num: int) -> None:
        """Send the next `num` tests, and the others of their blocks."""
        assert self.collection is not None  # noqa: S101 - as xdist does: there is nothing to send before
        blocks = {self.block(self.collection[index]) for index in self.pending[:num]} - {None}
        if blocks:
            rest = self.pending[num:]
            more = [index for index in rest if self.block(self.collection[index]) in blocks]
            kept = set(more)
            self.pending[num:] = [*more, *(index for index in rest if index not in kept)]
            num += len(more)
        super()._send_tests(node, num)
