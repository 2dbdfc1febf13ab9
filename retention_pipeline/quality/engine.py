"""Great Expectations on a DuckDB file: importing this module costs seconds, so it is imported where it is used.

Three things differ from what comes with Great Expectations. Rows are fetched while the connection is still held
(its own engine fetches them afterwards, when they are gone). Connections are never pooled: one left open would lock
the file against the next writer. While a suite runs one connection is kept open beside them, since opening the file
anew for each query costs more than the queries.
"""

from __future__ import annotations

import contextlib
import logging
import typing
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import great_expectations as gx
    import sqlalchemy as sa
    from great_expectations.data_context.data_context.context_factory import project_manager
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )
    from great_expectations.datasource.fluent import SQLDatasource
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

# SQLAlchemy marks the stub that `typing.overload` shares with its ORM classes. Through the dialect registered on them
# that keeps DuckDB's classes alive beyond the end of the interpreter, and their binding then prints a page about leaks.
vars(typing.overload(lambda: None)).pop("__dataclass_transform__", None)


class BufferingEngine(SqlAlchemyExecutionEngine):
    """Fetches the rows of a query before its connection is given back."""

    def execute_query(self, query: Any) -> Any:
        """The whole result of `query`."""
        with self.get_connection() as connection:
            return self._execute_query_with_recovery(connection, query).freeze()()


class DuckDBFile(SQLDatasource):
    """A DuckDB file that is only read."""

    type: Literal["duckdb_file"] = "duckdb_file"

    @property
    def execution_engine_type(self) -> Any:
        """The engine that runs the queries."""
        return BufferingEngine


@contextlib.contextmanager
def reading(warehouse: Path) -> Iterator[tuple[DuckDBFile, sa.Connection]]:
    """The warehouse as a data source, and a connection to it; both are closed on the way out, whatever happened."""
    logger = logging.getLogger("great_expectations")
    level = logger.level
    # It logs what fails as an error, beside saying so in the result.
    logger.setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = gx.get_context(mode="ephemeral", project_config=_in_memory())
        try:
            source = context.add_datasource(
                datasource=DuckDBFile(
                    name="warehouse",
                    connection_string=sa.URL.create("duckdb", database=str(warehouse)).render_as_string(),
                    kwargs={"connect_args": {"read_only": True}, "poolclass": sa.NullPool},
                )
            )
            engine = source.get_engine()
            try:
                with engine.connect() as connection:
                    yield source, connection
            finally:
                engine.dispose()
        finally:
            project_manager.set_project(None)
            logger.setLevel(level)


def _in_memory() -> DataContextConfig:
    """A project that keeps nothing on disk, shows no progress and reports to nobody."""
    return DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
        analytics_enabled=False,
    )
