"""Accounts, movements and holds: the rules, and the stores behind one contract (docs/ledger.md)."""
