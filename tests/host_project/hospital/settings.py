"""Settings of a project that existed before clinic_hwr; what was added for it is marked."""

import os
from pathlib import Path

import clinic_hwr

DATA = Path(os.environ["HOSPITAL_DATA"])

SECRET_KEY = "only-for-this-test-" + "x" * 40
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "hospital.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA / "hospital.sqlite3"}}
USE_TZ = True
LOGIN_URL = "login"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    # added: the rooms, and what they need
    "rest_framework",
    "rest_framework.authtoken",
    "clinic_hwr.rest",
    "clinic_hwr.accounts",
    "clinic_hwr.audit",
    "clinic_hwr.intake",
    "clinic_hwr.routing",
    "clinic_hwr.forms",
    "clinic_hwr.review",
    "clinic_hwr.fhir",
    "clinic_hwr.delivery",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # added
    "clinic_hwr.accounts.sessions.SessionLimitsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
HERE = Path(clinic_hwr.__file__).resolve().parent
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],  # added
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "static/"
STATICFILES_DIRS = [HERE / "static"]  # added
BLOB_DIR = DATA / "blobs"  # added
