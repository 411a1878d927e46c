"""The errors that reach a user: one clear line each, saying what, where and what to do."""

from __future__ import annotations


class EthrexPerfError(Exception):
    """Something that a user can act on; `str()` is the message, complete and without secrets."""


class UsageError(EthrexPerfError):
    """A wrong option, setting or block spec: found before anything is measured (pytest's exit code 4)."""


class MeasurementError(EthrexPerfError):
    """A block that could not be measured: an *error* of its test, never a verdict."""
