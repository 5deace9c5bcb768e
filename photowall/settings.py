"""All settings, by feature, from environment variables; starts with none set.

Every variable read here stands in ``docs/reference/settings.md`` (a test sees to it).
"""

from __future__ import annotations

import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from photowall import __version__
from photowall.room import room
from photowall.store_settings import (  # noqa: F401  they are settings too
    PHOTOWALL_ACCEL_REDIRECT,
    QUIET_LOGGERS,
    S3_OPTIONS,
    STORAGES,
)

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
PHOTOWALL_VERSION = __version__

# --- Where things are kept ----------------------------------------------------
VAR = Path(env.str("PHOTOWALL_VAR", default=str(BASE_DIR / "var")))
ROLE = env.str("PHOTOWALL_ROLE", default="web")
"""What this process is: "web", "worker" or "command". Only the web has a pool."""
IN_TESTS = "pytest" in sys.modules

# --- Security -----------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
PUBLIC_KEY = "insecure-development-key-set-SECRET_KEY"
SECRET_KEY = env.str("SECRET_KEY", default=PUBLIC_KEY)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
HTTPS_ONLY = env.bool("PHOTOWALL_HTTPS", default=False)
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS_ONLY
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https")
    if env.bool("PHOTOWALL_BEHIND_PROXY", default=False)
    else None
)
NUM_PROXIES = env.int("PHOTOWALL_NUM_PROXIES", default=0)
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# The admin shows new secrets once, as messages: not in a cookie, which all can read.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
PHOTOWALL_LARGEST_BODY = env.int("PHOTOWALL_LARGEST_BODY", default=1_258_291)
"""Bytes of any request's body that the server reads at all (1.2 MiB)."""

PHOTOWALL_ENCRYPTION_KEYS: list[str] = env.list("PHOTOWALL_ENCRYPTION_KEY", default=[])
"""Fernet keys, newest first; empty = one is derived from SECRET_KEY."""

CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "media-src": ["'self'"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "manifest-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}

# --- What runs ----------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",
    "photowall",
    "media_archive",
    "subscriptions",
    "photowall.facades",
    "photowall.backup",
    "photowall.rehearsal",
    "photowall.up",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "channels",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "photowall.urls"
ASGI_APPLICATION = "photowall.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
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
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "photowall.formats"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Rows ---------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db("DATABASE_URL", default=f"sqlite:///{VAR / 'db.sqlite3'}")
}
# Who waits for the web is a person or a provider, and a provider for 2 s only: rather
# a 503 now and the notification once more. Workers have time.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        # One writer at a time: shorter, and a busy worker would show as errors.
        "timeout": 5 if ROLE == "web" and not IN_TESTS else 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
    }
elif DATABASES["default"]["ENGINE"].endswith("postgresql"):
    # A server that vanished without a word is given up within seconds, and not after
    # the quarter of an hour that the system takes. What the address says stands.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "tcp_user_timeout": 15_000,
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
    } | DATABASES["default"].get("OPTIONS", {})
    if ROLE == "web" and not IN_TESTS:
        DATABASES["default"]["CONN_MAX_AGE"] = 0
        # The pool hands out no connection that was cut, say by the server's restart.
        DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
        DATABASES["default"]["OPTIONS"]["pool"] = {
            "min_size": 1,
            "max_size": env.int("PHOTOWALL_DATABASE_POOL", default=8),
            "timeout": 1.5,
        }

PHOTOWALL_POSTGRES_PROGRAMS = env.str("PHOTOWALL_POSTGRES_PROGRAMS", default="")
"""The folder of pg_dump and pg_restore; empty = found on PATH and where systems keep
them."""

# --- Doorbells: Celery and Channels over Redis --------------------------------
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
PHOTOWALL_RING_TASKS = True
"""False where no worker listens (the sandbox): the rows are worked off in-process."""
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SOFT_TIME_LIMIT = 60
CELERY_TASK_TIME_LIMIT = 90
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
    "visibility_timeout": 600,
    "unacked_restore_interval": 15,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 1,
}
if ROLE != "worker":
    # Ringing must not cost a visitor a second: kombu would else try for six.
    CELERY_BROKER_TRANSPORT_OPTIONS |= {
        "socket_timeout": 1,
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
    }
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "beat-schedule")

LAYER_URL = env.str("PHOTOWALL_LAYER_URL", default=REDIS_URL)
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [LAYER_URL], "prefix": "photowall"},
    }
}

# --- What we follow -----------------------------------------------------------
PHOTOWALL_BASE_URL = env.str(
    "PHOTOWALL_BASE_URL", default="http://127.0.0.1:8000"
).rstrip("/")
PHOTOWALL_PRIVATE_HOSTS = env.list("PHOTOWALL_PRIVATE_HOSTS", default=[])
PHOTOWALL_PICTURE_BYTES = env.int("PHOTOWALL_PICTURE_BYTES", default=20 * 1024 * 1024)
"""The largest picture that is fetched."""
PHOTOWALL_FILM_BYTES = env.int("PHOTOWALL_FILM_BYTES", default=100 * 1024 * 1024)
PHOTOWALL_DOWNLOADS_AT_ONCE = max(env.int("PHOTOWALL_DOWNLOADS_AT_ONCE", default=4), 1)
"""Pictures that one worker process fetches at once."""
PHOTOWALL_OPEN_SUBSCRIBE = env.bool("PHOTOWALL_OPEN_SUBSCRIBE", default=False)
PHOTOWALL_PUBLIC_ARCHIVE = env.bool("PHOTOWALL_PUBLIC_ARCHIVE", default=False)
PHOTOWALL_CALLBACKS_WAITING = env.int("PHOTOWALL_CALLBACKS_WAITING", default=5_000)
"""Notifications that one web process holds until they are committed; more get 503."""
PHOTOWALL_CALLBACK_BYTES_WAITING = env.int(
    "PHOTOWALL_CALLBACK_BYTES_WAITING", default=32 * 1024 * 1024
)
PHOTOWALL_CALLS_PER_HOUR = env.int("PHOTOWALL_CALLS_PER_HOUR", default=5_000)
"""Of one account, until its provider or a person says another number."""
PHOTOWALL_CALLS_KEPT = min(max(env.int("PHOTOWALL_CALLS_KEPT", default=10), 0), 90)
"""Per cent of them that only people and upkeep may use."""
PHOTOWALL_PROBE_SECONDS = max(env.int("PHOTOWALL_PROBE_SECONDS", default=60), 1)
"""How often a provider that is down is asked whether it is back."""
PHOTOWALL_POLL_SECONDS = env.int("PHOTOWALL_POLL_SECONDS", default=300)
PHOTOWALL_POLL_LONGEST = env.int("PHOTOWALL_POLL_LONGEST", default=3600)
PHOTOWALL_OVERLAP_ITEMS = env.int("PHOTOWALL_OVERLAP_ITEMS", default=200)
PHOTOWALL_OVERLAP_SECONDS = env.int("PHOTOWALL_OVERLAP_SECONDS", default=900)
PHOTOWALL_FIRST_READ_PAGES = env.int("PHOTOWALL_FIRST_READ_PAGES", default=20)
PHOTOWALL_PAGES_PER_RUN = env.int("PHOTOWALL_PAGES_PER_RUN", default=50)
_base = urlsplit(PHOTOWALL_BASE_URL)
if _base.hostname and _base.hostname not in ALLOWED_HOSTS:
    ALLOWED_HOSTS.append(_base.hostname)


def _is_this_machine(host: str) -> bool:
    """Whether nobody else can have come to us under this name."""
    name = host.lower().strip("[]")
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or (name == "testserver" and IN_TESTS)


if (
    HTTPS_ONLY
    or SECURE_PROXY_SSL_HEADER
    or not all(_is_this_machine(host) for host in ALLOWED_HOSTS)
):
    # Whoever serves others must not do it half-open.
    if SECRET_KEY == PUBLIC_KEY or len(SECRET_KEY) < 32:
        raise ImproperlyConfigured(
            "Set SECRET_KEY to 32 random characters or more: ALLOWED_HOSTS, "
            "PHOTOWALL_BASE_URL or PHOTOWALL_HTTPS say that we serve others."
        )
    if DEBUG:
        raise ImproperlyConfigured("Unset DEBUG: it shows our insides to everybody.")
    if "*" in ALLOWED_HOSTS:
        raise ImproperlyConfigured("Name our hosts in ALLOWED_HOSTS instead of *.")

# --- Who may do what ----------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = ["ip_address", "username"]
AXES_HTTP_RESPONSE_CODE = 429
AXES_IPWARE_PROXY_COUNT = NUM_PROXIES
LOGIN_URL = "admin:login"

# --- The archive's API --------------------------------------------------------
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "media_archive.api.authentication.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["media_archive.api.permissions.MayReadArchive"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "media_archive.api.pagination.ArchivePagination",
    "DEFAULT_FILTER_BACKENDS": ["media_archive.api.filters.StrictFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "120/min"},
    "EXCEPTION_HANDLER": "media_archive.api.errors.exception_handler",
    "NUM_PROXIES": NUM_PROXIES,
    "PAGE_SIZE": 50,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Photowall archive",
    "DESCRIPTION": "Every media item ever received, for people who ask questions.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SCHEMA_PATH_PREFIX_INSERT": "",
}

# --- Files --------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = env.str("PHOTOWALL_STATIC_ROOT", default=None)
"""Where collectstatic put the files; unset = served straight from the source."""
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
WHITENOISE_MAX_AGE = 60
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR / "media"
PHOTOWALL_DECODERS = env.int("PHOTOWALL_DECODERS", default=1)
"""Processes that decode pictures, for each process of ours that needs them."""
PHOTOWALL_PICTURE_PIXELS = env.int("PHOTOWALL_PICTURE_PIXELS", default=50_000_000)
PHOTOWALL_PICTURE_FRAMES = env.int("PHOTOWALL_PICTURE_FRAMES", default=200)
PHOTOWALL_PICTURE_SECONDS = max(env.int("PHOTOWALL_PICTURE_SECONDS", default=20), 1)
PHOTOWALL_PICTURE_MEMORY = env.int("PHOTOWALL_PICTURE_MEMORY", default=1024)
"""Megabytes of address space."""
PHOTOWALL_DISK_KEEP = room(
    "PHOTOWALL_DISK_KEEP", env.str("PHOTOWALL_DISK_KEEP", default="1G")
)
"""(bytes, share of the disk) that downloads leave free."""
PHOTOWALL_DISK_WARN = room(
    "PHOTOWALL_DISK_WARN", env.str("PHOTOWALL_DISK_WARN", default="5G")
)
"""With less than this the admin warns."""
PHOTOWALL_ALIKE_SECONDS = env.int("PHOTOWALL_ALIKE_SECONDS", default=3600)
"""Between two shots of one author that may be one tile; 0 = none is folded."""
PHOTOWALL_ALIKE_BITS = env.int("PHOTOWALL_ALIKE_BITS", default=6)
"""Of the 64 bits of their hashes, how many may differ."""

# --- Logs: no secret and no stranger's line is written -------------------------
_TO_OURS: dict[str, Any] = {"handlers": [], "propagate": True}
"""In place of handlers that Django configures, which would write all as it is."""
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "redacting": {
            "class": "photowall.logs.RedactingFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "redacting"}
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": _TO_OURS | {"level": "INFO"},
        "django.channels.server": {"level": "WARNING"},
        "django.server": _TO_OURS | {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        **QUIET_LOGGERS,
    },
}
