from django.urls import path

from sandboxes import views

app_name = "sandboxes"
urlpatterns = [
    path("workspace/inside/files/", views.folder, name="files-folder"),
    path("workspace/", views.workspace, name="workspace"),
    path("sandbox/panel/", views.panel, name="panel"),
    path("sandbox/stage/", views.stage, name="stage"),
    path("sandbox/initialize/", views.initialize, name="initialize"),
    path("sandbox/refresh/", views.refresh, name="refresh"),
    path("sandbox/extend/", views.extend, name="extend"),
    path("sandbox/reminder/dismiss/", views.dismiss_reminder, name="dismiss-reminder"),
    path("sandbox/restart/", views.restart, name="restart"),
    path("sandbox/reset/", views.reset, name="reset"),
    path("sandbox/delete/", views.delete, name="delete"),
    path("sandbox/connect/", views.connect, name="connect"),
    path("sandbox/connect/test/", views.connect_test, name="connect-test"),
    path("sandbox/agents/", views.agents, name="agents"),
    path("sandbox/agents/export/", views.agents_export, name="agents-export"),
    path("sandbox/agents/last/", views.last_call, name="last-call"),
    path("sandbox/activity/", views.activity, name="activity"),
    path("sandbox/activity/export/", views.activity_export, name="activity-export"),
    path("sandbox/open/<int:port>/", views.open_port, name="open"),
    path("workspace/inside/processes/", views.processes, name="processes"),
    path("workspace/inside/processes/start/", views.start_process, name="start-process"),
    path("workspace/inside/processes/<slug:action>/", views.act_on_process, name="act-on-process"),
    path("workspace/inside/ports/", views.ports, name="ports"),
    path("workspace/inside/ports/visibility/", views.visibility, name="visibility"),
    path("workspace/inside/ports/<int:port>/public/", views.publish_port, name="publish-port"),
    path("workspace/inside/ports/<int:port>/private/", views.unpublish_port, name="unpublish-port"),
]
