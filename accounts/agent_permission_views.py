"""Change the permissions of an agent's connection."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import agent_permissions
from accounts.agent_permission_forms import PermissionsForm
from accounts.models import ConnectedAgent, PersonalToken, Scope, User
from accounts.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]
def permissions(request: SignedInRequest, key: str) -> HttpResponse:
    """Show the permissions of a connection and change them from its next call on."""
    connection = _connection(request.user, key)
    back = "accounts:tokens" if isinstance(connection, PersonalToken) else "accounts:agents"
    posted = request.POST if request.method == "POST" else None
    form = PermissionsForm(posted, agent_permissions.of(key))
    if form.is_valid():
        agent_permissions.issue(user=request.user, key=key, **form.permissions())
        messages.success(request, f"The permissions of “{connection}” were changed.")
        return redirect(back)
    context = {"form": form, "connection": connection, "back": back}
    return render(
        request, "accounts/permissions.html", context, status=422 if form.is_bound else 200
    )


def _connection(user: User, key: str) -> PersonalToken | ConnectedAgent:
    """Return the user's connection by its key, if it can reach a sandbox's tools."""
    token: PersonalToken | None = PersonalToken.objects.for_user(user).filter(key=key).first()
    if token and Scope.MCP in token.scopes:
        return token
    agents = ConnectedAgent.objects.for_user(user).select_related("client")
    agent: ConnectedAgent | None = agents.filter(key=key).first()
    if agent is None:
        raise Http404("Connection not found.")
    return agent
