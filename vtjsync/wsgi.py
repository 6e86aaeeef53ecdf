"""The web server's way in. Does not start with settings or a database that are not safe."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vtjsync.settings")
application = get_wsgi_application()

from vtjsync.checks import refuse_unsafe  # noqa: E402 - the framework has to be set up first

refuse_unsafe()
