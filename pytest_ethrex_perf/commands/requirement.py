"""What pip is asked for to have this package elsewhere: by where it was installed from here."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pytest_ethrex_perf.errors import EthrexPerfError
from pytest_ethrex_perf.host import forge
from pytest_ethrex_perf.host.git import GitError, Repository
from pytest_ethrex_perf.records import json_text
from pytest_ethrex_perf.version import NAME, version

if TYPE_CHECKING:
    from collections.abc import Mapping

_RELEASE = re.compile(r"\d+(\.\d+)+")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")


@dataclass(frozen=True, slots=True)
class Requirement:
    """This package, at a version or from an address."""

    specifier: str = ""
    """What follows its name: `==0.2.1`, ` @ git+https://…@COMMIT`; empty for the newest."""
    doubt: str | None = None
    """Why it may not be found elsewhere; None where this package came from there itself."""

    def word(self, extra: str = "") -> str:
        """What follows `pip install`, as a shell takes it; with an `extra`, such as `[history]`."""
        return shlex.quote(f"{NAME}{extra}{self.specifier}")


def of_this_package(environ: Mapping[str, str]) -> Requirement:
    """Return what installs this version: from the index or the repository that it came from itself.

    What it was installed from is in direct_url.json (PEP 610), which the index's packages do not have.
    """
    released = f"=={version()}" if _RELEASE.fullmatch(version()) else ""
    try:
        url, commit = _origin(environ)
    except EthrexPerfError as error:
        return Requirement(released, str(error))
    if not url:
        return Requirement(released)
    address = forge.repository(url)
    if address is None or not _COMMIT.fullmatch(commit):
        return Requirement(released, "it was installed here from what others can't reach")
    return Requirement(f" @ git+{address}@{commit}")


def _origin(environ: Mapping[str, str]) -> tuple[str, str]:
    """A repository's address and the commit that was installed; two empty texts for what an index had."""
    try:
        written = metadata.distribution(NAME).read_text("direct_url.json")
        origin = json_text.decode(written, dict[str, Any]) if written else {}
    except (metadata.PackageNotFoundError, ValueError):
        raise EthrexPerfError("how it was installed here is not known") from None
    url, vcs = str(origin.get("url") or ""), origin.get("vcs_info")
    if "dir_info" in origin:
        return _pushed(Path(url2pathname(urlsplit(url).path)), environ)
    return url, str(vcs.get("commit_id")) if isinstance(vcs, dict) else ""


def _pushed(folder: Path, environ: Mapping[str, str]) -> tuple[str, str]:
    """The remote's address of a checkout, and its commit; raises `GitError` where no remote has that."""
    repository = Repository(folder, environ)
    commit = repository.commit("HEAD").id
    if not repository.output("branch", "--remotes", "--contains", commit).strip():
        raise GitError(f"no remote of {folder} is known to have its commit {commit[:12]}: git push it first")
    return repository.url, commit
