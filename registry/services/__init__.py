"""Writes: one public verb per function, each in one transaction with its audit event."""
