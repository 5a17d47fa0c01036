"""Search in the admin that takes no longer the more rows there are."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db import connection
from django.db.models import EmailField, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest

# Addresses may have capitals: email__lower.
EmailField.register_lookup(Lower)
# After all that text can go on with.
_LAST = "\U0010ffff"


class IndexedSearchAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Search by indexes for what begins so; only where nothing does, for parts in all rows."""

    # Columns with an index, in lower case: each word begins one of these, or is one of those.
    search_beginnings: ClassVar[list[str]] = []
    search_exactly: ClassVar[list[str]] = []

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        words = search_term.lower().split()
        found = queryset
        for word in words:
            found = found.filter(pk__in=self._rows_with(word))
        if words and found.exists():
            return found, False
        return super().get_search_results(request, queryset, search_term)

    def _rows_with(self, word: str) -> QuerySet[Any]:
        """Return the ids of rows, each condition as a read of its own: OR uses no index."""
        conditions = [_begins(column, word) for column in self.search_beginnings]
        conditions += [Q(**{column: word}) for column in self.search_exactly]
        rows = self.model._default_manager.order_by()
        first, *others = (rows.filter(condition).values("pk") for condition in conditions)
        found: QuerySet[Any] = first.union(*others) if others else first
        return found


def _begins(column: str, word: str) -> Q:
    if connection.vendor == "sqlite":
        # Its LIKE ignores case, for which it has no index.
        return Q(**{f"{column}__gte": word, f"{column}__lt": word + _LAST})
    return Q(**{f"{column}__startswith": word})
