"""Django's settings. Addresses and secrets come from the environment, which `relight.project.boot` has filled in."""

import os
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from relight.flow.database import reachable

ROOT = Path(__file__).resolve().parent.parent


def _database(variable: str) -> dict[str, object]:
    """A DATABASES entry from a libpq connection string in the environment; unreachable when it is not set."""
    given = conninfo_to_dict(reachable(os.environ.get(variable, "host=/nonexistent dbname=relight")))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": given.pop("dbname", "relight"),
        "USER": given.pop("user", ""),
        "PASSWORD": given.pop("password", ""),
        "HOST": given.pop("host", ""),
        "PORT": given.pop("port", ""),
        "OPTIONS": {**given, "options": "-c search_path=relight"},
    }


SECRET_KEY = os.environ.get("RELIGHT_SECRET_KEY", "")
DEBUG = False
ALLOWED_HOSTS = os.environ.get("RELIGHT_HOSTS", "127.0.0.1,localhost").split(",")
CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("RELIGHT_ORIGINS", "").split(",") if origin]
SECURE = os.environ.get("RELIGHT_HTTPS", "") == "1"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
X_FRAME_OPTIONS = "DENY"

# Where `relight demo` keeps its story; only then are the demo's pages there, which anybody may open.
DEMO_FOLDER = os.environ.get("RELIGHT_DEMO", "")

DATABASES = {"default": _database("RELIGHT_APP_DATABASE"), "owner": _database("RELIGHT_OWNER_DATABASE")}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # after a fail-over nobody's page is the one that finds out
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    *(
        f"relight.flow.{stage}"
        for stage in (
            "partners", "accounts", "claims", "cases", "traces", "books", "effects", "messages", "payments", "supply",
            "handover", "feeds", "watch",
        )
    ),
    "relight.web.paypages",
    "relight.web.console",
    *(["relight.web.demo"] if DEMO_FOLDER else []),
]  # fmt: skip

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "relight.web.console.middleware.PartnerMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "relight.project.urls"
WSGI_APPLICATION = "relight.project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "relight.web.console.context.shell",
            ]
        },
    }
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "console:login"
LOGIN_REDIRECT_URL = "console:cases"
CSRF_FAILURE_VIEW = "relight.web.console.access.csrf_failure"

LANGUAGE_CODE = "nb"
LANGUAGES = [("nb", "Norsk"), ("da", "Dansk"), ("nl", "Nederlands"), ("en", "English"), ("de", "Deutsch")]
TIME_ZONE = "Europe/Oslo"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
LOGGING_CONFIG = None
