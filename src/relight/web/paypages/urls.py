"""Addresses of the pay pages. Short, since they travel by SMS; the token is the only key to them."""

from django.urls import path

from relight.web.paypages import asks, details, easier, starting, testpay, views

app_name = "paypages"

urlpatterns = [
    path("<str:token>", views.page, name="page"),
    path("<str:token>/pay", starting.pay, name="pay"),
    path("<str:token>/status", views.status, name="status"),
    path("<str:token>/status.json", views.status_as_json, name="status_json"),
    path("<str:token>/receipt", views.receipt, name="receipt"),
    path("<str:token>/details", details.details, name="details"),
    path("<str:token>/check", details.check, name="check"),
    path("<str:token>/not-me", asks.not_me, name="not_me"),
    path("<str:token>/easier", easier.easier, name="easier"),
    path("<str:token>/agree", easier.agree, name="agree"),
    path("<str:token>/promise", easier.promise, name="promise"),
    path("<str:token>/more-time", asks.more_time, name="more_time"),
    path("<str:token>/testpay/<str:ref>", testpay.testpay, name="testpay"),
]
