"""Talking to ethrex-replay: program, command line, process, output, cache."""
