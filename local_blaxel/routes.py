"""The control plane's route table: everything under `/v0`."""

from starlette.routing import Route, Router

from local_blaxel import catalog, unsupported
from local_blaxel.catalog import ImageApi
from local_blaxel.control import SandboxApi
from local_blaxel.fleet import Fleet
from local_blaxel.launcher import Launcher
from local_blaxel.presentation import Presenter
from local_blaxel.preview_connections import PreviewConnections
from local_blaxel.previews import PreviewApi
from local_blaxel.schedules import ScheduleApi
from local_blaxel.snapshots import SnapshotApi
from local_blaxel.store import Store
from local_blaxel.volumes import VolumeApi

SANDBOX = "/sandboxes/{name}"


def control(
    fleet: Fleet,
    store: Store,
    launcher: Launcher,
    presenter: Presenter,
    preview_connections: PreviewConnections,
) -> Router:
    routes = [
        *_sandboxes(SandboxApi(fleet, presenter)),
        *_previews(PreviewApi(fleet, store, presenter, preview_connections)),
        *_schedules(ScheduleApi(fleet, store)),
        *_snapshots(SnapshotApi(fleet, store, launcher, presenter)),
        *_volumes(VolumeApi(fleet, store, launcher, presenter)),
        *_catalog(ImageApi(fleet)),
        *_unsupported(),
    ]
    return Router(routes, redirect_slashes=False)


def _sandboxes(api: SandboxApi) -> list[Route]:
    return [
        Route("/sandboxes", api.create, methods=["POST"]),
        Route("/sandboxes", api.index),
        Route("/sandboxes/by-external-id/{external_id}", api.get_by_external_id),
        Route(SANDBOX, api.get),
        Route(SANDBOX, api.update, methods=["PUT"]),
        Route(SANDBOX, api.delete, methods=["DELETE"]),
        Route(SANDBOX + "/archive", api.archive, methods=["POST"]),
        Route(SANDBOX + "/unarchive", api.unarchive, methods=["POST"]),
    ]


def _snapshots(api: SnapshotApi) -> list[Route]:
    nested, snapshot = SANDBOX + "/snapshots", "/snapshots/{snapshot}"
    return [
        Route(nested, api.create, methods=["POST"]),
        Route(nested, api.index),
        Route(nested + "/{snapshot}", api.delete, methods=["DELETE"]),
        Route(nested + "/{snapshot}/restore", api.restore, methods=["POST"]),
        Route(SANDBOX + "/fork", api.fork, methods=["POST"]),
        Route("/snapshots", api.create_from, methods=["POST"]),
        Route("/snapshots", api.index_all),
        Route(snapshot, api.get),
        Route(snapshot, api.delete, methods=["DELETE"]),
        Route(snapshot + "/fork", api.fork_snapshot, methods=["POST"]),
    ]


def _previews(api: PreviewApi) -> list[Route]:
    preview = SANDBOX + "/previews/{preview}"
    return [
        Route(SANDBOX + "/previews", api.create, methods=["POST"]),
        Route(SANDBOX + "/previews", api.index),
        Route(preview, api.get),
        Route(preview, api.update, methods=["PUT"]),
        Route(preview, api.delete, methods=["DELETE"]),
        Route(preview + "/tokens", api.create_token, methods=["POST"]),
        Route(preview + "/tokens", api.tokens),
        Route(preview + "/tokens/{token}", api.delete_token, methods=["DELETE"]),
    ]


def _schedules(api: ScheduleApi) -> list[Route]:
    schedule = SANDBOX + "/schedules/{schedule}"
    return [
        Route(SANDBOX + "/schedules", api.create, methods=["POST"]),
        Route(SANDBOX + "/schedules", api.index),
        Route(schedule, api.get),
        Route(schedule, api.update, methods=["PUT"]),
        Route(schedule, api.delete, methods=["DELETE"]),
        Route(SANDBOX + "/schedule-executions", api.executions),
        Route("/schedules", api.index_all),
        Route("/schedules/metrics", api.metrics),
        Route("/schedule-executions", api.all_executions),
    ]


def _volumes(api: VolumeApi) -> list[Route]:
    volume = "/volumes/{volume}"
    return [
        Route("/volumes", api.create, methods=["POST"]),
        Route("/volumes", api.index),
        Route("/volumes/by-external-id/{external_id}", api.get_by_external_id),
        Route(volume, api.get),
        Route(volume, api.update, methods=["PUT"]),
        Route(volume, api.delete, methods=["DELETE"]),
    ]


def _unsupported() -> list[Route]:
    methods = ["GET", "POST", "PUT", "DELETE"]
    paths = [
        path for what in unsupported.REASONS for path in (f"/{what}", f"/{what}/{{rest:path}}")
    ]
    return [Route(path, unsupported.refuse, methods=methods) for path in paths]


def _catalog(images: ImageApi) -> list[Route]:
    image = "/images/{kind}/{image:path}"
    return [
        Route("/sandbox/hub", images.index_hub),
        Route("/images", images.index),
        Route(image + "/tags", images.tags),
        Route(image + "/tags/{tag}", images.delete_tag, methods=["DELETE"]),
        Route(image, images.get),
        Route(image, images.delete, methods=["DELETE"]),
        Route("/locations", catalog.list_locations),
        Route("/configuration", catalog.get_configuration),
        Route("/features", catalog.list_features),
    ]
