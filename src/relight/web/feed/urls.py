"""The feed's address: `/feed/<partner's slug>`."""

from django.urls import path

from relight.web.feed import views

app_name = "feed"

urlpatterns = [path("<slug:partner>", views.feed, name="feed")]
