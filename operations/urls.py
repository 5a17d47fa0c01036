from django.urls import path

from operations import views

app_name = "operations"
urlpatterns = [path("sandbox/check/", views.check, name="check")]
