import json
import signal
import sys
from contextlib import closing
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from operations.doctor.examinations import examine_installation
from operations.doctor.finding import Finding, Verdict
from sandboxes import errors


class Command(BaseCommand):
    help = (
        "Checks this installation, from its settings to a throw-away sandbox, which is made, "
        "tried and deleted. The exit status is 1 when something failed."
    )
    # The first step reports them.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        # However it ends, the throw-away sandbox goes first.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        findings: list[Finding] = []
        try:
            with closing(examine_installation()) as examination:
                for finding in examination:
                    findings.append(finding)
                    if not options["json"]:
                        self._say(finding)
        except KeyboardInterrupt:
            self.stderr.write("Stopped. The throw-away sandbox has been deleted.")
            sys.exit(130)
        except errors.SandboxError as exc:
            self.stderr.write(f"The throw-away sandbox could not be deleted: {exc}")
            sys.exit(1)
        failed = [finding for finding in findings if finding.verdict is Verdict.FAILED]
        if options["json"]:
            report = {"ok": not failed, "findings": [finding.as_dict() for finding in findings]}
            self.stdout.write(json.dumps(report, indent=2))
        sys.exit(1 if failed else 0)

    def _say(self, finding: Finding) -> None:
        words = {
            Verdict.OK: self.style.SUCCESS("ok     "),
            Verdict.FAILED: self.style.ERROR("FAILED "),
            Verdict.SKIPPED: self.style.WARNING("skipped"),
        }
        time = f"{finding.seconds:6.2f} s"
        self.stdout.write(f"{words[finding.verdict]} {time}  {finding.title}. {finding.detail}")
        if finding.remedy:
            self.stdout.write(f"                   → {finding.remedy}")
        self.stdout.flush()
