"""What one run works with: its programs, cache files, counters and machine, each found out once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.baseline.archive import Archive, default_directory
from pytest_ethrex_perf.baseline.builds import Builds
from pytest_ethrex_perf.counters import choice, probe
from pytest_ethrex_perf.errors import EthrexPerfError
from pytest_ethrex_perf.gate.programs import Programs
from pytest_ethrex_perf.host import machine as host_machine
from pytest_ethrex_perf.records import regular_file, workload
from pytest_ethrex_perf.replay import cache, generation
from pytest_ethrex_perf.replay.answer import Answers
from pytest_ethrex_perf.replay.program_kinds import KINDS
from pytest_ethrex_perf.replay.redaction import Redactor, secrets_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.gate.programs import Built
    from pytest_ethrex_perf.records.block import BlockId, Work
    from pytest_ethrex_perf.records.measurement import CacheIdentity, Machine, Program
    from pytest_ethrex_perf.replay.cache import CacheFile


class Equipment:
    """Programs, cache files, counters and machine of one run; looked at when first asked for.

    Before a workload's block is made it calls `hold`, to have the machine to itself, and tells `say`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        hold: Callable[[], None] = lambda: None,
        say: Callable[[str], None] = lambda _: None,
        show: Callable[[str], None] = lambda _: None,
        run_id: str | None = None,
        built: Built | None = None,
    ) -> None:
        self.settings = settings
        self._hold = hold
        self._say = say
        self.machine = _machine(settings)
        self.rpc_url: str | None = settings.rpc_url or settings.environ.get("ETHREX_RPC_URL") or None
        self.archive = Archive(settings.archive or default_directory(settings.environ), settings.archive_size)
        builds = Builds.of(settings, self.archive, say=say, show=show, run=run_id)
        self.programs = Programs(settings, builds, built)
        self.answers = Answers()
        self._caches: dict[BlockId, CacheFile] = {}
        self._counters: dict[tuple[str, ...], choice.Chosen] = {}

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be written anywhere."""
        return (self.rpc_url,) if self.rpc_url else ()

    @cached_property
    def redact(self) -> Redactor:
        """What takes this run's secrets out of a text."""
        return Redactor([*self.secrets, *secrets_in(self.settings.environ)])

    @cached_property
    def head(self) -> Program:
        """The program under test; raises `UsageError`, or `MeasurementError` if it cannot be built."""
        return self.programs.head

    @cached_property
    def base(self) -> Program | None:
        """The program to compare with, None where only a baseline is stored; raises as `head` does."""
        return self.programs.base

    @cached_property
    def cache_dir(self) -> Path:
        """Where the cache files are."""
        return cache.directory(self.settings.cache_dir)

    # --- cache files ----------------------------------------------------------------------------------------

    def workloads(self) -> tuple[str, ...]:
        """What `workload:all` stands for: what the program under test knows, all if that is not known."""
        if self.programs.described("head") is not None:  # a revision is built later, and is an ethrex-replay
            return workload.NAMES
        try:
            return KINDS[self.head.kind].workloads
        except EthrexPerfError:  # each block will say so
            return workload.NAMES

    def understands(self, block: BlockId) -> bool:
        """Whether the program under test knows the workload that `block` is."""
        return workload.parse(block.workload).name in self.workloads()

    def cache(self, block: BlockId, base: Program | None = None) -> CacheIdentity:
        """What the block's cache file holds, fetched or made first if it is missing.

        It is fetched with head where there is an RPC URL. A workload is made by base (`base`, where that is
        no option but a baseline's program), without one by head: what is compared with stays what it is.
        Raises `MeasurementError` that names the file and the option.
        """
        return self.cache_file(block, base).identity

    def work(self, block: BlockId) -> Work:
        """What every invocation must report of the block; raises as `cache` does."""
        return self.cache_file(block).work

    def cache_file(self, block: BlockId, base: Program | None = None) -> CacheFile:
        """The block's cache file, read once; raises as `cache` does."""
        if block not in self._caches:
            self._caches[block] = self._made(block, base) if block.workload else self._fetched(block)
        return self._caches[block]

    def maker(self, block: BlockId) -> str:
        """The program that made the block of a workload, as people read it; its file has been looked at."""
        record = generation.record_of(self.cache_file(block).path)
        return "an unknown program" if record is None else record.program

    def _made(self, block: BlockId, base: Program | None) -> CacheFile:
        return generation.Generator(
            program=base or self.base or self.head,
            cache_dir=generation.directory(self.settings.cache_dir, block),
            environ=self.settings.environ,
            log_dir=self.settings.log_dir,
            timeout=self.settings.timeout or cache.FETCH_TIMEOUT_S,
            hold=self._hold,
            say=self._say,
        ).provide(block)

    def _fetched(self, block: BlockId) -> CacheFile:
        path = cache.path(self.cache_dir, block)
        if not regular_file.exists(path) and self.rpc_url:
            with self.answers.of(self.head):
                cache.fetch(
                    self.head,
                    block,
                    cache_dir=self.cache_dir,
                    rpc_url=self.rpc_url,
                    timeout=cache.FETCH_TIMEOUT_S,
                    environ=self.settings.environ,
                    log_dir=self.settings.log_dir,
                )
        return cache.read(path, block)

    def counters(self, judged: Sequence[str] = ()) -> choice.Chosen:
        """What is counted with where verdicts are wanted of the counts `judged`; raises `UsageError`."""
        wanted = tuple(sorted(set(judged)))
        if wanted not in self._counters:
            self._counters[wanted] = choice.choose(
                self.settings.counters,
                self.settings.environ,
                judged=wanted,
                named=self.settings.events,
            )
        return self._counters[wanted]


def _machine(settings: Settings) -> Machine:
    """This machine, and which perf it counts with: another one may be worth a warning."""
    machine = host_machine.identify(name=settings.machine)
    if settings.counters not in ("auto", "perf"):
        return machine
    version = probe.version(settings.environ)
    if version is None:
        return machine
    return msgspec.structs.replace(machine, recorded={**machine.recorded, "perf": version})
