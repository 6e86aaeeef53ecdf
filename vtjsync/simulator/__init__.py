"""A VTJ to run against: a program of its own that speaks the real protocol (wire.md 4).

The application never imports it, and it knows nothing of how the application reads what it says.
"""
