"""Descriptions of token scopes in the API's schema."""

from typing import Any

from drf_spectacular.openapi import AutoSchema

from accounts.permissions import required_scope


class ScopedSchema(AutoSchema):
    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        # Not get_description: a view's own description would replace it.
        operation = super().get_operation(*args, **kwargs)
        scope = required_scope(self.view, self.method)
        if operation and scope:
            parts = [operation.get("description", ""), f"A token needs the scope `{scope}`."]
            operation["description"] = "\n\n".join(filter(None, parts))
        return operation

    def get_tags(self) -> list[str]:
        """Return the scope's noun as the tag, because all paths share theirs."""
        scope = required_scope(self.view, self.method)
        return [scope.partition(":")[0]] if scope else super().get_tags()
