from django.urls import path

from sandboxes import web

app_name = "sandboxes"
urlpatterns = [
    path("workspace/inside/files/", web.folder, name="files-folder"),
    path("workspace/", web.workspace, name="workspace"),
    path("sandbox/panel/", web.panel, name="panel"),
    path("sandbox/stage/", web.stage, name="stage"),
    path("sandbox/initialize/", web.initialize, name="initialize"),
    path("sandbox/refresh/", web.refresh, name="refresh"),
    path("sandbox/extend/", web.extend, name="extend"),
    path("sandbox/reminder/dismiss/", web.dismiss_reminder, name="dismiss-reminder"),
    path("sandbox/restart/", web.restart, name="restart"),
    path("sandbox/reset/", web.reset, name="reset"),
    path("sandbox/delete/", web.delete, name="delete"),
    path("sandbox/connect/", web.connect, name="connect"),
    path("sandbox/connect/test/", web.connect_test, name="connect-test"),
    path("sandbox/agents/", web.agents, name="agents"),
    path("sandbox/agents/export/", web.agents_export, name="agents-export"),
    path("sandbox/agents/last/", web.last_call, name="last-call"),
    path("sandbox/activity/", web.activity, name="activity"),
    path("sandbox/activity/export/", web.activity_export, name="activity-export"),
    path("sandbox/open/<int:port>/", web.open_port, name="open"),
    path("workspace/inside/processes/", web.processes, name="processes"),
    path("workspace/inside/processes/start/", web.start_process, name="start-process"),
    path("workspace/inside/processes/<slug:action>/", web.act_on_process, name="act-on-process"),
    path("workspace/inside/ports/", web.ports, name="ports"),
    path("workspace/inside/ports/visibility/", web.visibility, name="visibility"),
    path("workspace/inside/ports/<int:port>/public/", web.publish_port, name="publish-port"),
    path("workspace/inside/ports/<int:port>/private/", web.unpublish_port, name="unpublish-port"),
]
