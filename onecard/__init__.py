"""Onecard, an open campus-card system (校园一卡通)."""
