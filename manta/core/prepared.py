"""Reads whose SQL is written once: Django takes longer to write it than SQLite to run it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.query import get_related_populators

Row = TypeVar("Row", bound=Model)


class Parameter(Expression):
    """The place of a value that is given at each read."""

    def __init__(self, name: str, field: "Field[Any, Any]") -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        return "%s", [self]


@dataclass(frozen=True)
class _Written:
    """SQL for one connection, and how its rows become objects, as Django's ModelIterable does."""

    connection: BaseDatabaseWrapper
    sql: str
    parameters: tuple[Parameter, ...]
    converters: list[tuple[int, tuple[list[Any], Any]]]
    model: type[Model]
    columns: slice
    names: list[str]
    populators: list[Any]

    @classmethod
    def by(cls, connection: BaseDatabaseWrapper, queryset: "QuerySet[Any]") -> "_Written":
        compiler = queryset.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        if not all(isinstance(each, Parameter) for each in parameters):
            # The time of the first read would be that of all others.
            raise TypeError(f"A prepared read has no value of its own: {parameters}")
        info, select = compiler.klass_info, compiler.select
        columns = slice(info["select_fields"][0], info["select_fields"][-1] + 1)
        return cls(
            connection,
            sql,
            parameters,
            list(compiler.get_converters([column[0] for column in select]).items()),
            info["model"],
            columns,
            [column[0].target.attname for column in select[columns]],
            get_related_populators(info, select, connection.alias),  # type: ignore[call-arg]
        )

    def rows(self, values: dict[str, Any]) -> Iterator[Any]:
        given = [
            each.output_field.get_db_prep_value(values[each.name], self.connection)
            for each in self.parameters
        ]
        with self.connection.cursor() as cursor:
            cursor.execute(self.sql, given)
            found = cursor.fetchall()
        for row in map(list, found):
            for position, (converters, expression) in self.converters:
                for converter in converters:
                    row[position] = converter(row[position], expression, self.connection)
            made = self.model.from_db(self.connection.alias, self.names, row[self.columns])
            for populator in self.populators:
                populator.populate(row, made)
            yield made


class Prepared(Generic[Row]):
    """A query set that is made once, with a Parameter for each value. Nothing is kept of a read.

    A value goes to the database as it is: one that its column can't hold, such as a number of more
    than 64 bits, is an error there, and not, as in Django, one that no row has.
    """

    def __init__(self, make: "Callable[[], QuerySet[Row]]") -> None:
        self._make = make
        self._own = threading.local()  # a connection belongs to one thread

    def all(self, **values: Any) -> list[Row]:
        connection = connections[DEFAULT_DB_ALIAS]
        written: _Written | None = getattr(self._own, "written", None)
        if written is None or written.connection is not connection:
            written = self._own.written = _Written.by(connection, self._make())
        return list(written.rows(values))

    def first(self, **values: Any) -> Row | None:
        return next(iter(self.all(**values)), None)
