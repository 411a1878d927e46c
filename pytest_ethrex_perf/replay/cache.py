"""Cache files: `cache_{network}_{n}.json`, as ethrex-replay writes and reads them (its `src/cache.rs`).

The program takes a file's content on trust; whether it is the block that the name says is checked here.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from pytest_ethrex_perf.config.options import BUNDLED
from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.host import process
from pytest_ethrex_perf.records import header, nesting, regular_file
from pytest_ethrex_perf.records import workload as workloads
from pytest_ethrex_perf.records.block import BlockId, Work
from pytest_ethrex_perf.records.measurement import CacheIdentity
from pytest_ethrex_perf.replay import answer, command, failure, missing_cache, output, transcript
from pytest_ethrex_perf.replay.program_kinds import KINDS
from pytest_ethrex_perf.replay.redaction import HIDDEN, Redactor, redact_url, secrets_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_ethrex_perf.records.measurement import Program

FETCH_TIMEOUT_S = 3600.0  # a witness over a slow RPC takes minutes


class _Witness(msgspec.Struct):
    state: list[str] | None = None
    keys: list[str] | None = None
    codes: list[str] | None = None
    headers: list[str] | None = None


class _Body(msgspec.Struct):
    transactions: list[Any]


class _Block(msgspec.Struct):
    header: dict[str, Any]
    body: _Body


class _File(msgspec.Struct):
    blocks: list[_Block]
    witness: _Witness
    network: dict[str, Any] | str


def directory(name: str | Path) -> Path:
    """Return the directory that `--cache-dir` names: a path, or `bundled`, where a program's own block is."""
    if str(name) != BUNDLED:
        return Path(name)
    return next(kind.bundled_cache() for kind in KINDS.values() if kind.bundled_cache)


def path(cache_dir: Path, block: BlockId) -> Path:
    """Return where the program looks for the block; a workload has a folder of its own.

    The file of a workload is not named by all of its parameters: in one folder, another size or gas would
    take its place.
    """
    if block.workload:
        return cache_dir / block.file_name / workload_file(block)
    return cache_dir / f"cache_{block.network}_{block.number}.json"


def workload_file(block: BlockId) -> str:
    """Return the name that the program gives the file of a workload, by its name and its seed."""
    workload = workloads.parse(block.workload)
    return f"cache_custom_{workload.name}_seed{workload.seed}_blocks1.json"


class CacheFile(NamedTuple):
    """What a cache file holds."""

    identity: CacheIdentity
    work: Work
    path: Path
    sha256: str
    """Of the file's bytes: a cheap sign of another content."""
    size: int
    """Of the file, in bytes."""


def identify(path: Path, block: BlockId) -> CacheIdentity:
    """The identity of what a cache file holds; raises as `read` does."""
    return read(path, block).identity


def read(path: Path, block: BlockId) -> CacheFile:
    """Read a cache file and say what it holds; raises `MeasurementError` as `content` and `parse` do."""
    return parse(content(path, block), path, block)


def content(path: Path, block: BlockId) -> bytes:
    """Return the bytes of a cache file; raises `MeasurementError`, with the remedy, where there are none."""
    try:
        return regular_file.content(path)
    except FileNotFoundError:
        raise MeasurementError(missing_cache.message(path, block)) from None
    except OSError as error:
        raise MeasurementError(f"{block}: {path} can't be read: {error.strerror}") from None


def parse(content: bytes, path: Path, block: BlockId) -> CacheFile:
    """Say what the bytes of a cache file hold: the block's hash, a hash of its witness, and its work.

    The block's hash is keccak-256 of its RLP-encoded header; `witness_sha256` is over the sorted lists of the
    witness, so the same state in another order is the same. Raises `MeasurementError`, with the remedy, for a
    file that is corrupt, or of another block or network. Of a workload the file itself tells no parameters:
    `generation` keeps them beside it.
    """
    refetch = f"remove it and {'make' if block.workload else 'fetch'} it again (`ethrex-perf fetch {block}`)"
    try:
        nesting.check(content)
        file = msgspec.json.decode(content, type=_File)
    except (msgspec.DecodeError, ValueError) as error:
        raise MeasurementError(f"{block}: {path} is not a cache file: {error}; {refetch}") from None
    try:
        number, block_hash = _only_block(file)
        work = Work(header.gas_used(file.blocks[0].header), len(file.blocks[0].body.transactions))
    except ValueError as error:
        raise MeasurementError(f"{block}: {path} is not a cache file: {error}; {refetch}") from None
    network = _network(file.network)
    if (network, number) != (workloads.DEVNET if block.workload else block.network, block.number):
        raise MeasurementError(f"{block}: {path} holds {network}/{number}, not {block}; {refetch}")
    identity = CacheIdentity(
        network=block.network,
        number=number,
        workload=block.workload,
        block_hash=block_hash,
        witness_sha256=_witness_sha256(file.witness),
    )
    return CacheFile(identity, work, path, hashlib.sha256(content).hexdigest(), len(content))


def fetch(
    program: Program,
    block: BlockId,
    *,
    cache_dir: Path,
    rpc_url: str,
    timeout: float | None,
    environ: Mapping[str, str],
    log_dir: Path,
) -> CacheIdentity:
    """Let the program fetch a block into `cache_dir` by one unmeasured run over `rpc_url`; say what it is.

    Raises `UsageError` for a URL that is none, or for a kind of program that can't fetch, and
    `MeasurementError`, without the URL's secrets, if the run failed or left another block behind. A file that
    a failed run has begun is removed.
    """
    if not KINDS[program.kind].fetches:
        raise UsageError(
            f"{block}: the {program.kind} program can't fetch blocks: give an ethrex-replay to fetch with"
        )
    if redact_url(rpc_url) == HIDDEN:
        raise UsageError("the RPC URL is not an http(s) URL; its form is http://HOST:PORT/PATH")
    file = path(cache_dir, block)
    is_new = not regular_file.exists(file)
    try:
        _run_fetch(program, block, cache_dir, rpc_url, timeout, environ, log_dir)
        _check_left(file, block, rpc_url)
        return identify(file, block)
    except BaseException:  # Ctrl-C as well: half a file would be taken for a corrupt one
        if is_new:
            _remove_partial(file, block)
        raise


def _check_left(file: Path, block: BlockId, rpc_url: str) -> None:
    if not regular_file.exists(file):
        raise MeasurementError(
            f"{block}: the program fetched from {redact_url(rpc_url)} without an error, and left no {file}: "
            "does it keep blocks elsewhere, or is it no ethrex-replay?"
        )


def _run_fetch(
    program: Program,
    block: BlockId,
    cache_dir: Path,
    rpc_url: str,
    timeout: float | None,
    environ: Mapping[str, str],
    log_dir: Path,
) -> None:
    argv = command.fetch(program, block, cache_dir=cache_dir, rpc_url=rpc_url)
    finished = process.run(argv, environ=command.child_environment(environ), timeout=timeout)
    read = output.parse(finished.stdout)
    reason = failure.of_fetch(finished, read, block=block, timeout=timeout)
    if reason is not None:
        redact = Redactor([rpc_url, *secrets_in(environ)])
        name = f"{block.file_name}-fetch"
        kept = transcript.keep(argv, finished, log_dir=log_dir, name=name, redact=redact)
        message = f"{block}: fetching from {redact_url(rpc_url)}: {redact(reason)}; {kept}"
        raise answer.error(message, program, finished, read, redact=redact, kept=kept)


def _remove_partial(file: Path, block: BlockId) -> None:
    try:
        identify(file, block)
    except MeasurementError:
        file.unlink(missing_ok=True)


def _only_block(file: _File) -> tuple[int, str]:
    if len(file.blocks) != 1:
        raise ValueError(f"it holds {len(file.blocks)} blocks, not one")
    fields = file.blocks[0].header
    return header.number(fields), header.block_hash(fields)


def _network(network: dict[str, Any] | str) -> str:
    """`{"PublicNetwork": "Hoodi"}` -> `hoodi`; of ethrex's other forms what an error can name."""
    if isinstance(network, str):
        return network.lower()
    return " ".join(str(value) for value in network.values()).lower()


def _witness_sha256(witness: _Witness) -> str:
    digest = hashlib.sha256()
    for name in ("state", "keys", "codes", "headers"):
        values = sorted(value.lower() for value in getattr(witness, name) or ())
        digest.update("\n".join([name, str(len(values)), *values, ""]).encode())
    return digest.hexdigest()
