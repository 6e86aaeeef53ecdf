"""Reads: one question of a page per function; personal data only with an Access (who, why)."""
