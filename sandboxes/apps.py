from django.apps import AppConfig


class SandboxesConfig(AppConfig):
    name = "sandboxes"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.hooks import register_export
        from sandboxes import checks, signals  # noqa: F401
        from sandboxes.presenters import account_data

        register_export(account_data.export)
