from functools import partial

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "operations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from operations import sentry
        from operations.checker import Checker
        from operations.recorder import Recorder
        from sandboxes.reconciler import companions

        sentry.start()
        companions.register(partial(Recorder, "worker"))
        companions.register(Checker)
