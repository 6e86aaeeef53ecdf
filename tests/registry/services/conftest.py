"""A VTJ on a socket for the tests that look codes up."""

from __future__ import annotations

from tests.engine.conftest import look_ups, start_vtj, vtj  # noqa: F401
