"""Processes of the user's sandbox, as the workspace shows them. Each of these views wakes it."""

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import SignedInRequest
from sandboxes import errors, services
from sandboxes.models import Sandbox
from sandboxes.services.processes import Wanted
from sandboxes.web.shortcuts import own_or_404

_ACTIONS = {
    "stop": services.processes.stop_process,
    "kill": services.processes.kill_process,
    "restart": services.processes.restart_process,
}
_LIST, _TROUBLE = "sandboxes/processes.html#list", "sandboxes/processes.html#trouble"


class StartForm(forms.Form):
    command = forms.CharField(max_length=10_000)
    name = forms.CharField(max_length=64, required=False)
    working_dir = forms.CharField(
        label="Folder", max_length=4096, required=False, initial="/blaxel/app"
    )
    env = forms.CharField(
        label="Environment",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "NAME=value"}),
        help_text="One NAME=value per line. Not kept after a restart.",
    )
    keep_alive = forms.BooleanField(label="Keep the sandbox awake", required=False)
    restart_on_failure = forms.BooleanField(label="Restart on failure", required=False)

    def clean_env(self) -> dict[str, str]:
        env: dict[str, str] = {}
        for line in filter(str.strip, self.cleaned_data["env"].splitlines()):
            name, equals, value = line.partition("=")
            if not equals or not name.strip():
                raise forms.ValidationError(f"Expected NAME=value: {line}")
            env[name.strip()] = value
        return env


@require_safe
@never_cache
@login_required
def processes(request: SignedInRequest) -> HttpResponse:
    return _listed(request, own_or_404(request.user))


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def start_process(request: SignedInRequest) -> HttpResponse:
    sandbox = own_or_404(request.user)
    form = StartForm(request.POST or None)
    if form.is_valid():
        try:
            wanted = Wanted(**form.cleaned_data)
            services.processes.start_process(sandbox=sandbox, wanted=wanted, actor=request.user)
        except errors.ProcessRefused as exc:
            form.add_error(exc.field, str(exc))
        else:
            return _listed(request, sandbox)
    template = "sandboxes/processes.html#start" if request.htmx else "sandboxes/processes.html"
    response = render(request, template, {"form": form}, status=422 if form.errors else 200)
    if form.errors:
        response["HX-Retarget"] = "#process-form"
    return response


@require_POST
@never_cache
@login_required
def act_on_process(request: SignedInRequest, action: str) -> HttpResponse:
    sandbox = own_or_404(request.user)
    if action not in _ACTIONS:
        raise Http404
    _ACTIONS[action](sandbox=sandbox, name=request.POST.get("name", ""), actor=request.user)
    return _listed(request, sandbox)


def _listed(request: SignedInRequest, sandbox: Sandbox) -> HttpResponse:
    if not request.htmx:
        return redirect("sandboxes:workspace")
    try:
        table = services.processes.list_processes(sandbox=sandbox)
    except errors.ProviderError as exc:
        # What was listed before stays, below the reason why it may be old.
        response = render(request, _TROUBLE, {"trouble": str(exc)})
        response["HX-Retarget"], response["HX-Reswap"] = "#process-trouble", "outerHTML"
        return response
    return render(request, _LIST, {"processes": table.processes})
