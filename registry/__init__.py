"""The client register."""
