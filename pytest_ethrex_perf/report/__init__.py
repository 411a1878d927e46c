"""Reports: one `RunResult` in, every form out. They compute nothing of their own and know no pytest."""
