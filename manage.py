#!/usr/bin/env python
"""Django's command line: ``python manage.py help``."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vtjsync.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from vtjsync import logs

    logs.begin_request()
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # A setting is missing or wrong: its words help, the way that led there does not.
        sys.exit(f"{error}")
