"""Addresses of the webhooks: `/webhooks/<partner's slug>/<provider's name>`."""

from django.urls import path

from relight.web.webhooks import views

app_name = "webhooks"

urlpatterns = [path("<slug:partner>/<slug:name>", views.provider_webhook, name="provider")]
