"""How the API's description tells what a token needs."""

from drf_spectacular.openapi import AutoSchema

from accounts.permissions import required_scope


class ScopedSchema(AutoSchema):
    def get_description(self) -> str:  # type: ignore[override]
        scope = required_scope(self.view, self.method)
        needed = f"A token needs the scope `{scope}`." if scope else ""
        return "\n\n".join(filter(None, [super().get_description(), needed]))
