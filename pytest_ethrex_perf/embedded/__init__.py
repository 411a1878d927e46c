"""The embedded replay program: an ethrex-replay look-alike over the Ethereum execution specs (EELS).

Called as a child process, `python -m pytest_ethrex_perf.embedded block N --cached …`. It measures Python,
not ethrex: its results carry an identity of their own. This module imports nothing.
"""
