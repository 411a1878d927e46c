"""`ethrex-perf explain | compare | plan`: what is asked of results afterwards, or before a run."""
