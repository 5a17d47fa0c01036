"""local_blaxel by itself, as a client in another process of the same machine finds it."""

from bench.blaxel import commands, creates, crowd, files, freezes, ports, terminals, wakes
from bench.report import Group

GROUPS = {
    "create": Group("Creating sandboxes", creates.measure),
    "exec": Group("Running commands", commands.measure),
    "files": Group("Files", files.measure),
    "freeze": Group("Falling asleep", freezes.measure),
    "wake": Group("Waking", wakes.measure),
    "port": Group("Ports", ports.measure),
    "terminal": Group("Terminal", terminals.measure),
    "crowd": Group("100 idle sandboxes", crowd.measure),
}
