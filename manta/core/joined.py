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
        "css/workspace/layout.css",
        "css/workspace/dialogs.css",
        "css/workspace/files.css",
        "css/workspace/editor.css",
        "css/workspace/terminal.css",
        "css/workspace/processes.css",
        "css/workspace/ports.css",
        "css/workspace/preview.css",
    ],
    "js/workspace.js": [
        "js/preview.js",
        "js/workspace/attention.js",
        "js/workspace/dialogs.js",
        "js/workspace/panes.js",
        "js/workspace/dividers.js",
        "js/workspace/commands.js",
        "js/workspace/shortcuts.js",
        "js/workspace/palette-commands.js",
        "js/workspace/palette-files.js",
        "js/workspace/palette.js",
        "js/workspace/preferences.js",
        "js/workspace/files-tree.js",
        "js/workspace/files-keys.js",
        "js/workspace/files-news.js",
        "js/workspace/files-dialogs.js",
        "js/workspace/files-actions.js",
        "js/workspace/files-menu.js",
        "js/workspace/files-uploads.js",
        "js/workspace/files-dragging.js",
        "js/workspace/files-search.js",
        "js/workspace/log-stream.js",
        "js/workspace/log-look.js",
        "js/workspace/log-screen.js",
        "js/workspace/log-lines.js",
        "js/workspace/log-output.js",
        "js/workspace/log-viewer.js",
        "js/workspace/processes.js",
        "js/workspace/process-actions.js",
        "js/workspace/editor-api.js",
        "js/workspace/editor-drafts.js",
        "js/workspace/editor-views.js",
        "js/workspace/editor-bar.js",
        "js/workspace/editor-saving.js",
        "js/workspace/editor-comparison.js",
        "js/workspace/editor-file.js",
        "js/workspace/editor-closing.js",
        "js/workspace/editor-tabs.js",
        "js/workspace/editor-status.js",
        "js/workspace/editor-news.js",
        "js/workspace/editor.js",
        "js/workspace/terminal-connection.js",
        "js/workspace/terminal-screen.js",
        "js/workspace/terminal-list.js",
        "js/workspace/terminal-clipboard.js",
        "js/workspace/terminal-tabs.js",
        "js/workspace/terminal-search.js",
        "js/workspace/terminal-session.js",
        "js/workspace/terminal-closing.js",
        "js/workspace/terminal-foot.js",
        "js/workspace/terminal-presence.js",
        "js/workspace/terminal.js",
        "js/workspace/preview_bar.js",
        "js/workspace/ports.js",
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
