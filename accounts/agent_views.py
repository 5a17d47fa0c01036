"""The pages of the agents that one has let in."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import ConnectedAgent
from accounts.oauth import agents
from accounts.requests import SignedInRequest


@require_GET
@never_cache
@login_required
def own_agents(request: SignedInRequest) -> HttpResponse:
    found = ConnectedAgent.objects.for_user(request.user).select_related("client")
    return render(request, "accounts/agents.html", {"agents": found, "mcp_url": settings.MCP_URL})


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def revoke_agent(request: SignedInRequest, pk: int) -> HttpResponse:
    own = ConnectedAgent.objects.for_user(request.user).select_related("client")
    agent = get_object_or_404(own, pk=pk)
    if request.method == "GET":
        context = {"ends": agent, "verb": "Disconnect", "list_url": reverse("accounts:agents")}
        return render(request, "accounts/revoke_agent.html", context)
    agents.revoke(agent)
    messages.success(request, f"The agent “{agent}” is disconnected.")
    return redirect("accounts:agents")
