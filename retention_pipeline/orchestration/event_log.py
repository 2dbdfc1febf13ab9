"""Dagster's event log of a business: one SQLite file, written through connections that stay open.

Dagster's own class opens the file anew for each of the hundreds of events of a run and waits for the disk after each,
which takes longer than most steps. The log is history: a run that is killed loses nothing of it, and after a power cut
the last events may be missing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from sqlalchemy import Connection, Engine, create_engine, event

_BUSY_SECONDS = 60


class EventLog(ConsolidatedSqliteEventLogStorage):
    """The consolidated SQLite log with pooled connections and one wait for the disk per checkpoint."""

    @cached_property
    def _engine(self) -> Engine:
        engine = create_engine(self._conn_string, connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False})
        event.listen(engine, "connect", _without_waiting)
        return engine

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._engine.connect() as connection, connection.begin():
            yield connection

    def dispose(self) -> None:
        """Close the connections."""
        self._engine.dispose()
        super().dispose()


def _without_waiting(connection: Any, _record: object) -> None:
    # With a write-ahead log this is safe when the process dies; it gives up the last events in a power cut.
    connection.execute("PRAGMA synchronous = NORMAL")
