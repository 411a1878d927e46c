"""pytest-ethrex-perf: a pytest plugin that gates performance regressions of ethrex, block by block.

This module imports nothing: pytest loads the plugin in every run on the machine, wanted or not.
"""

__version__ = "0.1.0"
