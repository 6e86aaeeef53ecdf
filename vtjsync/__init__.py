"""The Django project, and all that has to do with VTJ."""
