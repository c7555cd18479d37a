#!/usr/bin/env python3
"""Command line of a hospital's own Django project that adds clinic_hwr."""

import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.settings")
execute_from_command_line(sys.argv)
