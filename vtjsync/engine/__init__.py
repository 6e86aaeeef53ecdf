"""Fetch, read, write: one transaction per page (domain.md B10)."""
