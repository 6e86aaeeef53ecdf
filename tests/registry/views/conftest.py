"""A VTJ on a socket for the pages."""

from tests.engine.conftest import look_ups, start_vtj, vtj  # noqa: F401
