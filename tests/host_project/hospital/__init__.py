"""A hospital's own Django project."""
