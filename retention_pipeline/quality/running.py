"""Runs a suite on the warehouse of a business; reads it only, and leaves it closed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from importlib import import_module
from pathlib import Path
from threading import Thread
from types import ModuleType

from retention_pipeline.errors import RetentionError
from retention_pipeline.quality.declaring import Suite
from retention_pipeline.quality.results import SuiteResult


@contextmanager
def importing_meanwhile() -> Iterator[None]:
    """Import Great Expectations in a thread while the block runs: for work that waits for DuckDB, not for Python.

    The thread has ended when the block is left, so that no two threads import libraries that need each other.
    """

    def load() -> None:
        # An import that fails does so again, and is seen, where the suite is run.
        with suppress(Exception):
            _import_validating()

    thread = Thread(target=load, name="import great_expectations")
    thread.start()
    try:
        yield
    finally:
        thread.join()


def run_suite(
    warehouse: Path,
    suite: Suite,
    *,
    as_of: date | None = None,
    docs: Path | None = None,
    keep: Collection[str] = (),
) -> SuiteResult:
    """Validate the tables of `suite`.

    Args:
        warehouse: The DuckDB file; opened read-only, closed afterwards.
        suite: What is expected.
        as_of: The day of the run, for the pages.
        docs: The folder of the data docs, in which the pages of this suite are replaced; None writes none.
        keep: Tables that are not validated now, and of which the page of an earlier validation stays.

    Raises:
        RetentionError: There is no warehouse.
    """
    if not warehouse.is_file():
        raise RetentionError(
            "there is no warehouse to validate",
            where=warehouse.name,
            expected="a warehouse that a run has filled",
            way_out="run the day from its start",
        )
    validate = _import_validating().validate
    if docs is None:
        checked: SuiteResult = validate(warehouse, suite, as_of, None)
        return checked
    from retention_pipeline.quality.data_docs import DataDocs

    pages = DataDocs(docs, suite, as_of)
    result: SuiteResult = validate(warehouse, suite, as_of, pages.write_page)
    pages.finish(result, keep)
    return result


def _import_validating() -> ModuleType:
    """The module that needs Great Expectations; the engine first, which keeps the warnings of that import away."""
    import_module("retention_pipeline.quality.engine")
    return import_module("retention_pipeline.quality.validating")
