from django.urls import path

from sandboxes.web import actions, activity, agents, connect, files, ports, processes, workspace

app_name = "sandboxes"
urlpatterns = [
    path("workspace/inside/files/", files.folder, name="files-folder"),
    path("workspace/", workspace.workspace, name="workspace"),
    path("sandbox/panel/", workspace.panel, name="panel"),
    path("sandbox/stage/", workspace.stage, name="stage"),
    path("sandbox/initialize/", workspace.initialize, name="initialize"),
    path("sandbox/refresh/", workspace.refresh, name="refresh"),
    path("sandbox/extend/", actions.extend, name="extend"),
    path("sandbox/reminder/dismiss/", actions.dismiss_reminder, name="dismiss-reminder"),
    path("sandbox/restart/", actions.restart, name="restart"),
    path("sandbox/reset/", actions.reset, name="reset"),
    path("sandbox/delete/", actions.delete, name="delete"),
    path("sandbox/connect/", connect.connect, name="connect"),
    path("sandbox/connect/test/", connect.connect_test, name="connect-test"),
    path("sandbox/agents/", agents.agents, name="agents"),
    path("sandbox/agents/export/", agents.agents_export, name="agents-export"),
    path("sandbox/agents/last/", agents.last_call, name="last-call"),
    path("sandbox/activity/", activity.activity, name="activity"),
    path("sandbox/activity/export/", activity.activity_export, name="activity-export"),
    path("sandbox/open/<int:port>/", ports.open_port, name="open"),
    path("workspace/inside/processes/", processes.processes, name="processes"),
    path("workspace/inside/processes/start/", processes.start_process, name="start-process"),
    path(
        "workspace/inside/processes/<slug:action>/", processes.act_on_process, name="act-on-process"
    ),
    path("workspace/inside/ports/", ports.ports, name="ports"),
    path("workspace/inside/ports/visibility/", ports.visibility, name="visibility"),
    path("workspace/inside/ports/<int:port>/public/", ports.publish_port, name="publish-port"),
    path("workspace/inside/ports/<int:port>/private/", ports.unpublish_port, name="unpublish-port"),
]
