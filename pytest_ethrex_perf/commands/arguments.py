"""Values of arguments that several commands read alike."""

from __future__ import annotations

import argparse


def whole(text: str) -> int:
    """A whole number from 1 on; raises `ArgumentTypeError`, which argparse shows, for anything else."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return value
