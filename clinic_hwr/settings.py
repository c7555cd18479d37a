"""Settings of the stand-alone product: one typed environment variable each.

``docs/install.md`` lists every variable. ``clinic_hwr.accounts.checks`` refuses to start with a
combination that would put patient data at risk.
"""

from __future__ import annotations

from pathlib import Path

import environ
from csp.constants import NONE, SELF

from clinic_hwr.accounts.secret_key import secret_key_from_file

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# Everything the product writes lives here: database, files, secret key. For its owner only.
DATA_DIR = Path(env.str("CLINIC_HWR_DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
SECRET_KEY = env.str("SECRET_KEY", default="") or secret_key_from_file(DATA_DIR / "secret_key")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "csp",
    "clinic_hwr.rest",
    "clinic_hwr.accounts",
    "clinic_hwr.audit",
    "clinic_hwr.intake",
    "clinic_hwr.routing",
    "clinic_hwr.forms",
    "clinic_hwr.review",
    "clinic_hwr.fhir",
    "clinic_hwr.delivery",
    "clinic_hwr.learning",
    "clinic_hwr.demo",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "clinic_hwr.accounts.sessions.SessionLimitsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "clinic_hwr.urls"
WSGI_APPLICATION = "clinic_hwr.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # of a checkout; of an installed wheel
        "DIRS": [BASE_DIR / "templates", BASE_DIR / "clinic_hwr" / "templates"],
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

# --- database -------------------------------------------------------------------------------

DATABASES = {
    "default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'clinic_hwr.sqlite3'}")
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # WAL lets the web threads read while the worker writes; IMMEDIATE avoids lock upgrades
    # that SQLite answers with "database is locked" instead of waiting.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE_S", default=60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en-us"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True

# --- people and sessions --------------------------------------------------------------------

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "inbox"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
AUTH_PASSWORD_VALIDATORS[1]["OPTIONS"] = {"min_length": 12}

# Automatic logoff (45 CFR 164.312(a)(2)(iii)): after idling, and once a shift in any case.
SESSION_COOKIE_AGE = 60 * env.int("SESSION_IDLE_MINUTES", default=15)
SESSION_MAX_AGE_S = 3600 * env.int("SESSION_MAX_HOURS", default=12)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
LOGIN_FAILURES_ALLOWED = env.int("LOGIN_FAILURES_ALLOWED", default=10)  # per name and address
LOGIN_FAILURES_WINDOW_S = env.int("LOGIN_FAILURES_WINDOW_S", default=900)

# --- transport ------------------------------------------------------------------------------

# True when browsers reach the product over TLS (a proxy in front ends it).
BEHIND_TLS = env.bool("BEHIND_TLS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = BEHIND_TLS
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
TRUSTED_PROXY = env.str("TRUSTED_PROXY", default="127.0.0.1")  # whose X-Forwarded-* we believe
if BEHIND_TLS:
    SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "blob:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# --- files ----------------------------------------------------------------------------------

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "clinic_hwr" / "static"]
# The few static files are read from the apps at start: no collectstatic step to forget.
WHITENOISE_USE_FINDERS = True

# Files by SHA-256; see intake/storage.py
BLOB_DIR = DATA_DIR / "blobs"
# Uploads over this many bytes wait in a file, and that file is as private as the store.
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "clinic_hwr.intake.uploads.SpaceAwareUploadHandler",  # a full disk answers 507
]
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "incoming"
FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700, exist_ok=True)
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576  # bytes of a request apart from its files
DATA_UPLOAD_MAX_NUMBER_FILES = env.int("UPLOAD_MAX_FILES", default=100)  # of one request
# The server hangs up above this; files between the scan limit and it get a clear answer.
REQUEST_MAX_BYTES = env.int("REQUEST_MAX_BYTES", default=256 * 1024 * 1024)
# A folder that a scanner or fax gateway writes to, watched by ``serve``; for the site of a slug.
CLINIC_HWR_WATCH = env.str("CLINIC_HWR_WATCH", default="")
CLINIC_HWR_WATCH_SITE = env.str("CLINIC_HWR_WATCH_SITE", default="")
CLINIC_HWR_WATCH_SETTLE_S = env.float("CLINIC_HWR_WATCH_SETTLE_S", default=5.0)
# A Maildir, or a folder of .eml and mbox files, received by ``serve``; for the site of a slug.
CLINIC_HWR_MAIL = env.str("CLINIC_HWR_MAIL", default="")
CLINIC_HWR_MAIL_SITE = env.str("CLINIC_HWR_MAIL_SITE", default="")
# How many days back a scan is compared with others of its site; 0 compares with none.
CLINIC_HWR_ALIKE_DAYS = env.int("CLINIC_HWR_ALIKE_DAYS", default=60)

# --- REST -----------------------------------------------------------------------------------

REST_FRAMEWORK = {
    # token first: it has a WWW-Authenticate header, so a stranger gets 401 and not 403
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "clinic_hwr.problems.problem_handler",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": env.str("API_RATE_ANONYMOUS", default="60/min"),
        "user": env.str("API_RATE_USER", default="1200/min"),
    },
}

# --- queue ----------------------------------------------------------------------------------

# Empty = worker in this process. The database is the queue of record either way.
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="")
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
# A worker that dies in the middle of a page gives its message back.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = env.int("CELERY_SOFT_LIMIT_S", default=300)
CELERY_TASK_TIME_LIMIT = CELERY_TASK_SOFT_TIME_LIMIT + 60
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = "clinic_hwr"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
if CELERY_BROKER_URL.startswith(("amqp:", "amqps:", "pyamqp:")):
    CELERY_TASK_DEFAULT_QUEUE_TYPE = "quorum"
    CELERY_BROKER_TRANSPORT_OPTIONS = {"confirm_publish": True}
else:
    # Redis hands a message out again after this long: it must outlast the hard limit.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 2 * CELERY_TASK_TIME_LIMIT}
# The reaper looks for what was left behind; run it with ``worker -B`` or ``celery beat``.
CELERY_BEAT_SCHEDULE = {
    "reap": {
        "task": "clinic_hwr.tasks.reap",
        "schedule": env.float("REAP_INTERVAL_S", default=60.0),
    }
}
# A worker that has not been heard of for this long has lost its scan to the next one.
CLINIC_HWR_CLAIM_S = env.float("CLINIC_HWR_CLAIM_S", default=60.0)
CLINIC_HWR_RETRY_S = env.float("CLINIC_HWR_RETRY_S", default=5.0)
if CELERY_BROKER_URL:
    # the app that the shared tasks belong to, in web processes as well
    import clinic_hwr.celery  # noqa: F401

# --- recognition ----------------------------------------------------------------------------

# Which reader, and where data for training lives.
CLINIC_HWR_ARCH = env.str("CLINIC_HWR_ARCH", default="trba+fcn_ctc")
# How its CTC layers are searched: prefix_beam, best_path or word_beam; the last needs a dictionary
# (a text file, one word or line each) and a mode: words, ngrams or ngrams_forecast.
CLINIC_HWR_DECODER = env.str("CLINIC_HWR_DECODER", default="prefix_beam")
CLINIC_HWR_DICTIONARY = env.str("CLINIC_HWR_DICTIONARY", default="")
CLINIC_HWR_WORD_MODE = env.str("CLINIC_HWR_WORD_MODE", default="")
# Which reader of single characters reads fields with printed cells; empty: read as lines.
CLINIC_HWR_COMB_ARCH = env.str("CLINIC_HWR_COMB_ARCH", default="capsnet")
# Which reader of paragraphs reads free text without finding lines; empty: line by line.
CLINIC_HWR_BLOCK_ARCH = env.str("CLINIC_HWR_BLOCK_ARCH", default="")
# Threads of the networks in each worker process: workers times threads should not exceed the
# cores, or they wait for one another.
CLINIC_HWR_READER_THREADS = env.int("CLINIC_HWR_READER_THREADS", default=1)
CLINIC_HWR_DATA = env.str("CLINIC_HWR_DATA", default="")

# --- pages ----------------------------------------------------------------------------------

# Language files of Tesseract that the print is read with, e.g. eng,spa; a missing one is said.
CLINIC_HWR_OCR_LANGUAGES = env.list("CLINIC_HWR_OCR_LANGUAGES", default=["eng"])
# Languages of the labels that forms print (en, es, fr, de); empty: all that are known.
CLINIC_HWR_LABEL_LANGUAGES = env.list("CLINIC_HWR_LABEL_LANGUAGES", default=[])
# Whether lines of writing are found by the trained segmenter, or the classical way.
CLINIC_HWR_LINE_SEGMENTER = env.bool("CLINIC_HWR_LINE_SEGMENTER", default=True)

# --- interpretation -------------------------------------------------------------------------

# A newer RxNorm release (written by manage.py load_rxnorm), formularies of the sites as
# SLUG.csv or default.csv, and the country (US, UK, IN, FR) whose abbreviations are written.
CLINIC_HWR_LEXICON = env.str("CLINIC_HWR_LEXICON", default=str(DATA_DIR / "lexicon"))
CLINIC_HWR_FORMULARIES = env.str("CLINIC_HWR_FORMULARIES", default=str(DATA_DIR / "formularies"))
CLINIC_HWR_COUNTRY = env.str("CLINIC_HWR_COUNTRY", default="")

# When a drug name with a listed look-alike is typed blind: "listed" (it is on the list), "pairs"
# (both names of a pair are readings of the same ink), "off". High-alert and controlled drugs are
# always entered by two people.
CLINIC_HWR_LOOKALIKES = env.str("CLINIC_HWR_LOOKALIKES", default="listed")

# --- logging --------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"ids_only": {"()": "clinic_hwr.logs.IdsOnlyFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "ids_only"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # Django's own handlers would print tracebacks with their messages
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # one line for each request to an EHR, with addresses: the outbox logs its own events
        "httpx": {"level": "WARNING"},
    },
}
