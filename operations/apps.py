from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "operations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from operations import sentry, tasks  # noqa: F401 (tasks: the worker has to know them)

        sentry.start()
