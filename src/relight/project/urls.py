"""Which entrance serves which address."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("p/", include("relight.web.paypages.urls")),
    path("webhooks/", include("relight.web.webhooks.urls")),
]
