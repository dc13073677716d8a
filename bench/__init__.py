"""Measures: each row as a ratio inside one run, ours beside the bare parts doing the same work."""
