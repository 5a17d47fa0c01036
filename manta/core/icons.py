"""Line icons of the pages: `{% icon "copy" %}` draws one, in every template.

Their shape says what their colour says. A page has dozens of them, and a template would compare a
name with all that there are: they are looked up instead.
"""

from functools import lru_cache

from django.template import Library
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = Library()

_WAITING = (
    '<circle cx="10" cy="10" r="6.5" opacity=".3" stroke-width="2"/>'
    '<path class="turning" d="M10 3.500a6.5 6.5 0 0 1 6.5 6.5" stroke-width="2"/>'
)
SHAPES = {
    "active": '<circle cx="10" cy="10" r="5.5" fill="currentColor" stroke="none"/>',
    "standby": (
        '<path d="M15.6 11.900A6.2 6.2 0 1 1 8.1 4.400a5 5 0 0 0 7.5 7.500z" fill="currentColor"/>'
    ),
    "provisioning": _WAITING,
    "deleting": _WAITING,
    "resetting": _WAITING,
    "stopped": '<rect x="5" y="5" width="10" height="10" rx="1.5"/>',
    "failed": (
        '<path d="M10 3.4 17.4 16.200H2.600z" fill="currentColor"/>'
        '<path d="M10 8v3.600M10 13.900v.1" class="cutout"/>'
    ),
    "deleted": '<path d="M4.500 6h11M8 6V4h4v2M6 6l.700 10h6.600L14 6"/>',
    "expired": (
        '<path d="M6 3.500h8M6 16.500h8M7 3.500c0 3.8 6 5.2 6 13M13 3.500c0 3.8-6 5.2-6 13"/>'
    ),
    "unknown": (
        '<circle cx="10" cy="10" r="6.5"/>'
        '<path d="M8.2 8.300A1.8 1.8 0 1 1 10 10.400v.7M10 13.400v.1"/>'
    ),
    "none": '<circle cx="10" cy="10" r="6.5" stroke-dasharray="2.6 2.5"/>',
    "play": '<path d="M7 4.800v10.400l8.2-5.200z" fill="currentColor"/>',
    "copy": (
        '<rect x="7.5" y="7.5" width="8.5" height="8.5" rx="1.8"/>'
        '<path d="M12.5 4.800A1.6 1.6 0 0 0 11 4H5.800A1.8 1.8 0 0 0 4 5.800V11a1.6 1.6 0 0 0 .8 '
        '1.5"/>'
    ),
    "check": '<path d="m4.5 10.5 3.8 3.7 7.2-8"/>',
    "close": '<path d="m5.5 5.5 9 9M14.5 5.500l-9 9"/>',
    "home": '<path d="M3.500 9.500 10 4l6.500 5.500M5.500 8.300V16h9V8.300"/>',
    "reload": '<path d="M15.8 10a5.8 5.8 0 1 1-1.9-4.300l1.9 1.700M15.8 3.800v3.600h-3.6"/>',
    "open": (
        '<path d="M11.5 4H16v4.500M16 4l-6.8 6.800M13.5 11.500v3A1.5 1.5 0 0 1 12 16H5.500A1.5 '
        '1.5 0 0 1 4 14.500V8a1.5 1.5 0 0 1 1.5-1.500h3"/>'
    ),
    "lock": (
        '<rect x="4.5" y="9" width="11" height="7.5" rx="1.8"/>'
        '<path d="M7 9V6.800a3 3 0 0 1 6 0V9"/>'
    ),
    "person": ('<circle cx="10" cy="7" r="3"/><path d="M4 16.500a6 6 0 0 1 12 0"/>'),
    "folder": (
        '<path d="M3.5 14.500v-9A1.5 1.5 0 0 1 5 4h3l2 2.200h5A1.5 1.5 0 0 1 16.5 '
        '7.700v6.800A1.5 1.5 0 0 1 15 16H5a1.5 1.5 0 0 1-1.5-1.500z"/>'
    ),
    "info": ('<circle cx="10" cy="10" r="6.5"/><path d="M10 9.300v4M10 6.700v.1"/>'),
    "file": (
        '<path d="M5.5 3.5h6l3.5 3.5v8A1.5 1.5 0 0 1 13.5 16.5h-8A1.5 1.5 0 0 1 4 15V5a1.5 1.5 0 '
        '0 1 1.5-1.5zM11 3.5V7.5h4"/>'
    ),
    "folder-open": (
        '<path d="M3.5 14.5v-9A1.5 1.5 0 0 1 5 4h3l2 2.2h4.5A1.5 1.5 0 0 1 16 7.7V9M3.5 14.8 5.4 '
        "10a1.5 1.5 0 0 1 1.4-1h9.7a1 1 0 0 1 .95 1.35L16 15a1.5 1.5 0 0 1-1.4 1H4.5a1 1 0 0 "
        '1-1-1.2z"/>'
    ),
    "new-file": (
        '<path d="M15 9V7l-3.5-3.5h-6A1.5 1.5 0 0 0 4 5v10a1.5 1.5 0 0 0 1.5 1.5H9M11 '
        '3.5V7.5h4M14 11.5v5M11.5 14h5"/>'
    ),
    "new-folder": (
        '<path d="M16.5 9.5V7.7A1.5 1.5 0 0 0 15 6.2h-5L8 4H5a1.5 1.5 0 0 0-1.5 1.5v9A1.5 1.5 0 '
        '0 0 5 16h4M14 11.5v5M11.5 14h5"/>'
    ),
    "chevron": '<path d="m8 5.5 4.5 4.5L8 14.5"/>',
    "chevron-down": '<path d="m5.5 8 4.5 4.5L14.5 8"/>',
    "arrow-left": '<path d="M16 10H4.5M9 5l-5 5 5 5"/>',
    "arrow-up": '<path d="M10 16V4.5M5 9l5-5 5 5"/>',
    "terminal": (
        '<rect x="3" y="4" width="14" height="12" rx="1.8"/>'
        '<path d="m6 8 2.5 2L6 12M10.5 12.5H14"/>'
    ),
    "code": '<path d="M7 5.5 2.8 10 7 14.5M13 5.5 17.2 10 13 14.5"/>',
    "processes": '<path d="M2.5 10.5h3l2-6 4 11 2.3-6.5.7 1.5h3"/>',
    "ports": '<path d="M7 3v4M13 3v4M5.5 7h9v2.5a4.5 4.5 0 0 1-9 0zM10 14v3"/>',
    "globe": (
        '<circle cx="10" cy="10" r="6.5"/>'
        '<path d="M3.5 10h13M10 3.5c4.2 4 4.2 9 0 13M10 3.5c-4.2 4-4.2 9 0 13"/>'
    ),
    "plus": '<path d="M10 4.5v11M4.5 10h11"/>',
    "minus": '<path d="M4.5 10h11"/>',
    "trash": '<path d="M4 5.5h12M8 5.5v-2h4v2M5.5 5.5l.7 11h7.6l.7-11M8.5 8.5v5M11.5 8.5v5"/>',
    "pencil": (
        '<path d="m4 16 .8-3.5 8-8a1.5 1.5 0 0 1 2.1 0l.6.6a1.5 1.5 0 0 1 0 2.1l-8 8zM11.5 '
        '5.8l2.7 2.7"/>'
    ),
    "save": (
        '<path d="M5 3.5h8l3.5 3.5v8a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 15V5A1.5 1.5 0 0 '
        '1 5 3.5zM7 3.5V7h5V3.5M6.5 16.5v-5h7v5"/>'
    ),
    "undo": '<path d="M7.5 4 4 7.5 7.5 11M4.5 7.5H12a4 4 0 0 1 0 8H8"/>',
    "search": ('<circle cx="9" cy="9" r="5"/><path d="m12.8 12.8 3.7 3.7"/>'),
    "download": '<path d="M10 3.5V13M6 9.2l4 4 4-4M4 16.5h12"/>',
    "upload": '<path d="M10 13V3.5M6 7.3l4-4 4 4M4 16.5h12"/>',
    "split": ('<rect x="3" y="4" width="14" height="12" rx="1.8"/><path d="M10 4v12"/>'),
    "pane-left": ('<rect x="3" y="4" width="14" height="12" rx="1.8"/><path d="M7.8 4v12"/>'),
    "pane-right": ('<rect x="3" y="4" width="14" height="12" rx="1.8"/><path d="M12.2 4v12"/>'),
    "pane-bottom": ('<rect x="3" y="4" width="14" height="12" rx="1.8"/><path d="M3 11.5h14"/>'),
    "more": '<path d="M5 10h.01M10 10h.01M15 10h.01" stroke-width="2.6"/>',
    "gear": (
        '<path d="M3.5 6h7M14.5 6h2M3.5 14h2M9.5 14h7"/>'
        '<circle cx="12.5" cy="6" r="2"/>'
        '<circle cx="7.5" cy="14" r="2"/>'
    ),
    "keyboard": (
        '<rect x="2.5" y="5" width="15" height="10" rx="1.8"/>'
        '<path d="M5.5 8.2h.01M8.5 8.2h.01M11.5 8.2h.01M14.5 8.2h.01M7 12h6"/>'
    ),
    "unlock": (
        '<rect x="4.5" y="9" width="11" height="7.5" rx="1.8"/><path d="M7 9V6.8a3 3 0 0 1 5.8-1"/>'
    ),
    "link": (
        '<path d="M8.5 11.5a3 3 0 0 0 4.3.2l2.5-2.5a3 3 0 0 0-4.3-4.3l-1 1M11.5 8.5a3 3 0 0 '
        '0-4.3-.2l-2.5 2.5a3 3 0 0 0 4.3 4.3l1-1"/>'
    ),
    "warning": '<path d="M10 3.5 17.3 16H2.7zM10 8.2v3.6M10 13.8v.1"/>',
    "pause": '<path d="M7.5 5v10M12.5 5v10"/>',
    "kill": ('<circle cx="10" cy="10" r="6.5"/><path d="m7.7 7.7 4.6 4.6M12.3 7.7l-4.6 4.6"/>'),
    "read-aloud": (
        '<path d="M4 8v4h2.500L10.500 15.500V4.500L6.500 8zM13 7.500a3.500 3.500 0 0 1 0 5M15 '
        '5.500a6.300 6.300 0 0 1 0 9"/>'
    ),
    "wrap": '<path d="M3.5 5h13M3.5 10h10.3a2.5 2.5 0 0 1 0 5H10M12 13l-2 2 2 2M3.5 15H6.5"/>',
}
_FRAME = (
    '<svg class="icon icon-{}" viewBox="0 0 20 20" width="20" height="20" fill="none"'
    ' stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"'
    ' aria-hidden="true" focusable="false">{}</svg>\n'
)


@register.simple_tag
@lru_cache(maxsize=2 * len(SHAPES))
def icon(name: str) -> SafeString:
    """Draw the icon of this name; of one that there is not, only its frame."""
    return format_html(_FRAME, name, mark_safe(SHAPES.get(name, "")))  # noqa: S308 - ours
