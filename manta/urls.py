from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from manta import error_pages, views
from sandboxes.api import (
    ProcessDetail,
    Processes,
    ProcessKill,
    ProcessRestart,
    SandboxCalls,
    SandboxDetail,
    SandboxEvents,
    SandboxExtend,
    SandboxFileMove,
    SandboxFileRestore,
    SandboxFiles,
    SandboxFileSearch,
    SandboxFolders,
    SandboxInit,
    SandboxPortPublic,
    SandboxPorts,
    SandboxPreviews,
    SandboxReset,
    SandboxRestart,
    TerminalDetail,
    Terminals,
)

admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler400 = "manta.error_pages.bad_request"
handler500 = "manta.error_pages.server_error"

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("sandboxes.urls")),
    path("", include("operations.urls")),
    path("", include("accounts.oauth.urls")),
    path("account/", include("accounts.urls")),
    # All of an account is on one page: these of allauth's lead there.
    path("accounts/2fa/", RedirectView.as_view(pattern_name="accounts:settings")),
    path("accounts/sessions/", RedirectView.as_view(pattern_name="accounts:sessions")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/sandbox", SandboxDetail.as_view(), name="sandbox-detail"),
    path("api/sandbox/extend", SandboxExtend.as_view(), name="sandbox-extend"),
    path("api/sandbox/restart", SandboxRestart.as_view(), name="sandbox-restart"),
    path("api/sandbox/reset", SandboxReset.as_view(), name="sandbox-reset"),
    path("api/sandbox/init", SandboxInit.as_view(), name="sandbox-init"),
    path("api/sandbox/events", SandboxEvents.as_view(), name="sandbox-events"),
    path("api/sandbox/processes", Processes.as_view(), name="processes"),
    path("api/sandbox/processes/<str:name>", ProcessDetail.as_view(), name="process-detail"),
    path("api/sandbox/processes/<str:name>/kill", ProcessKill.as_view(), name="process-kill"),
    path(
        "api/sandbox/processes/<str:name>/restart", ProcessRestart.as_view(), name="process-restart"
    ),
    path("api/sandbox/terminals", Terminals.as_view(), name="terminals"),
    path("api/sandbox/terminals/<str:key>", TerminalDetail.as_view(), name="terminal-detail"),
    path("api/sandbox/calls", SandboxCalls.as_view(), name="sandbox-calls"),
    path("api/sandbox/ports", SandboxPorts.as_view(), name="sandbox-ports"),
    path(
        "api/sandbox/ports/<int:port>/public",
        SandboxPortPublic.as_view(),
        name="sandbox-port-public",
    ),
    path("api/sandbox/previews", SandboxPreviews.as_view(), name="sandbox-previews"),
    path("api/sandbox/files", SandboxFiles.as_view(), name="files"),
    path("api/sandbox/files/folder", SandboxFolders.as_view(), name="files-folder"),
    path("api/sandbox/files/move", SandboxFileMove.as_view(), name="files-move"),
    path("api/sandbox/files/restore", SandboxFileRestore.as_view(), name="files-restore"),
    path("api/sandbox/files/search", SandboxFileSearch.as_view(), name="files-search"),
    path("api/schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    path("help/errors/", error_pages.error_codes, name="error-codes"),
    path("readyz", views.readyz, name="readyz"),
]
