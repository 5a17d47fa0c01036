"""Scripts and styles that pages ask for together: a file each, and one file once collected.

Each list is in the order in which they are read. Dozens of small files compress worse than one, and
a browser asks for six at a time.
"""

from django import template
from django.contrib.staticfiles.storage import staticfiles_storage
from django.templatetags.static import static
from django.utils.html import format_html_join

JOINED = {
    "css/manta.css": [
        "css/manta/tokens.css",
        "css/manta/elements.css",
        "css/manta/icons.css",
        "css/manta/buttons.css",
        "css/manta/surfaces.css",
        "css/manta/bar.css",
        "css/manta/notices.css",
        "css/manta/forms.css",
        "css/manta/panel.css",
    ],
    "css/workspace.css": [
        "workspace/styles/layout.css",
        "workspace/styles/dialogs.css",
        "workspace/styles/files.css",
        "workspace/styles/editor.css",
        "workspace/styles/terminal.css",
        "workspace/styles/processes.css",
        "workspace/styles/ports.css",
        "workspace/styles/preview.css",
    ],
    "js/workspace.js": [
        "workspace/preview.js",
        "workspace/attention.js",
        "workspace/dialogs.js",
        "workspace/panes.js",
        "workspace/dividers.js",
        "workspace/commands.js",
        "workspace/shortcuts.js",
        "workspace/palette/commands.js",
        "workspace/palette/files.js",
        "workspace/palette/palette.js",
        "workspace/preferences.js",
        "workspace/files/tree.js",
        "workspace/files/keys.js",
        "workspace/files/news.js",
        "workspace/files/dialogs.js",
        "workspace/files/actions.js",
        "workspace/files/menu.js",
        "workspace/files/uploads.js",
        "workspace/files/dragging.js",
        "workspace/files/search.js",
        "workspace/log/stream.js",
        "workspace/log/look.js",
        "workspace/log/screen.js",
        "workspace/log/lines.js",
        "workspace/log/output.js",
        "workspace/log/viewer.js",
        "workspace/processes/list.js",
        "workspace/processes/actions.js",
        "workspace/editor/api.js",
        "workspace/editor/drafts.js",
        "workspace/editor/views.js",
        "workspace/editor/bar.js",
        "workspace/editor/saving.js",
        "workspace/editor/comparison.js",
        "workspace/editor/file.js",
        "workspace/editor/closing.js",
        "workspace/editor/tabs.js",
        "workspace/editor/status.js",
        "workspace/editor/news.js",
        "workspace/editor/pane.js",
        "workspace/terminal/connection.js",
        "workspace/terminal/screen.js",
        "workspace/terminal/list.js",
        "workspace/terminal/clipboard.js",
        "workspace/terminal/tabs.js",
        "workspace/terminal/search.js",
        "workspace/terminal/session.js",
        "workspace/terminal/closing.js",
        "workspace/terminal/foot.js",
        "workspace/terminal/presence.js",
        "workspace/terminal/pane.js",
        "workspace/preview-bar.js",
        "workspace/ports.js",
    ],
}

register = template.Library()


@register.simple_tag
def scripts(name: str) -> str:
    return format_html_join("\n  ", '<script src="{}" defer></script>', _addresses(name))


@register.simple_tag
def styles(name: str) -> str:
    return format_html_join("\n  ", '<link rel="stylesheet" href="{}">', _addresses(name))


def _addresses(name: str) -> list[tuple[str]]:
    parts = [name] if getattr(staticfiles_storage, "joins", False) else JOINED[name]
    return [(static(part),) for part in parts]
