from django.urls import path

from sandboxes import views

app_name = "sandboxes"
urlpatterns = [
    path("workspace/", views.workspace, name="workspace"),
    path("sandbox/panel/", views.panel, name="panel"),
    path("sandbox/stage/", views.stage, name="stage"),
    path("sandbox/initialize/", views.initialize, name="initialize"),
    path("sandbox/refresh/", views.refresh, name="refresh"),
    path("sandbox/activity/", views.activity, name="activity"),
    path("sandbox/activity/export/", views.activity_export, name="activity-export"),
    path("sandbox/open/<int:port>/", views.open_port, name="open"),
]
