"""Addresses on the web of what a repository's remote has."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pytest_ethrex_perf.records.origin import is_url

_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>[A-Za-z0-9.-]+):(?!/)(?P<path>[^:]+)")
"""git's own short form: `git@github.com:lambdaclass/ethrex.git`."""
_COMMITS = {"github": "commit", "gitlab": "-/commit", "codeberg": "commit"}
"""By a part of the host's name (`gitlab.example.org`): where below a repository its commits are."""


def commits(remote: str) -> str | None:
    """Return what the addresses of a remote's commits begin with, None for a host that is not known.

    `git@github.com:lambdaclass/ethrex.git` has them at `https://github.com/lambdaclass/ethrex/commit/`.
    """
    address = repository(remote)
    host = (urlsplit(address).hostname or "").split(".") if address else []
    where = next((path for name, path in _COMMITS.items() if name in host), None)
    return None if where is None else f"{address}/{where}/"


def repository(remote: str) -> str | None:
    """Return the address of a remote's repository on the web, None for one that is not on the network.

    `git@github.com:lambdaclass/ethrex.git` is at `https://github.com/lambdaclass/ethrex`. Credentials, ports
    of ssh and anything behind the path are left out.
    """
    short = _SCP.fullmatch(remote)
    try:
        parts = urlsplit(f"ssh://{short['host']}/{short['path']}" if short else remote)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return None
    if parts.scheme not in ("https", "http", "ssh", "git", "git+ssh"):
        return None
    path = parts.path.strip("/").removesuffix(".git")
    if not path:
        return None
    scheme = "http" if parts.scheme == "http" else "https"
    at = f":{port}" if port and parts.scheme in ("https", "http") else ""
    address = f"{scheme}://{host}{at}/{path}"
    return address if is_url(address) else None
