"""Sessions in the database, as Django's, with the read of each request prepared."""

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.db.models import CharField, DateTimeField
from django.utils import timezone

from manta.core.prepared import Parameter, Prepared

_lasting: Prepared[Session] = Prepared(
    lambda: Session.objects.filter(
        session_key=Parameter("key", CharField()),
        expire_date__gt=Parameter("now", DateTimeField()),
    )
)


class SessionStore(DatabaseStore):
    def _get_session_from_db(self) -> Any:
        found = _lasting.first(key=self.session_key, now=timezone.now())
        if found is None:
            self._session_key = None
        return found
