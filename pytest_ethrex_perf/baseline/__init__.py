"""Stored baselines: what a block took on a machine, session by session, and how that is refreshed."""
