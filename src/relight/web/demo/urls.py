"""Addresses of the demo's pages: there only while `relight demo` runs."""

from django.urls import path

from relight.web.demo import acts, post, views

app_name = "demo"

urlpatterns = [
    path("", views.front, name="front"),
    path("stage", views.stage, name="stage"),
    path("hero", views.hero, name="hero"),
    path("households/", views.households, name="households"),
    path("households/<str:ref>/", views.household, name="household"),
    path("households/<str:ref>/phone", views.phone, name="phone"),
    path("households/<str:ref>/home", views.home, name="home"),
    path("households/<str:ref>/post", views.mail, name="mail"),
    path("households/<str:ref>/answer", acts.answer, name="answer"),
    path("devices/", views.devices, name="devices"),
    path("devices/street", views.street, name="street"),
    path("devices/<str:key>/press", acts.press, name="press"),
    path("emails/<str:key>", post.email, name="email"),
    path("letters/<str:key>", post.letter, name="letter"),
]
