"""A VTJ on a socket for the pages."""

from tests.engine.conftest import start_vtj, vtj  # noqa: F401
