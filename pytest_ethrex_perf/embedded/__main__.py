"""`python -m pytest_ethrex_perf.embedded block N --cached --network NETWORK --no-zkvm`."""

from __future__ import annotations

import signal
import sys

from pytest_ethrex_perf.embedded.program import main

if __name__ == "__main__":
    # as a Rust program: ended by Ctrl-C or by a reader that went away, without a traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
