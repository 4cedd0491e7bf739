"""Addresses of the webhooks: `/webhooks/<partner's slug>/<provider's name>`, and `…/agencies/<agency's name>`."""

from django.urls import path

from relight.web.webhooks import agencies, views

app_name = "webhooks"

urlpatterns = [
    path("<slug:partner>/<slug:name>", views.provider_webhook, name="provider"),
    path("<slug:partner>/agencies/<slug:name>", agencies.agency_webhook, name="agency"),
]
