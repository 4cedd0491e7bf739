"""Addresses of the health entrance."""

from django.urls import path

from relight.web.health import views

urlpatterns = [path("health", views.health), path("ready", views.ready)]
