"""The pieces of work that are measured: each step of the pipeline, and the same work without it.

`load`, `models` and `fit` call the packages as a run does. `bare_load` reads the same files with one `INSERT` each,
`copy` copies one file, `bare_models` executes the very SQL that dbt compiled, without tests, and `bare_fit` fits the
same estimators once on the same matrix.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import duckdb

from benchmarks.history import LAST_DAY, NEXT_DAY
from benchmarks.reading import column_names, export_file, typed_columns
from retention_pipeline.settings import StatePaths
from retention_pipeline.warehouse import UNSOUND_OPTIMIZER

Steps = Mapping[str, tuple[float, float]]
"""Wall and processor seconds of each step of a day."""

_TYPES = (
    "{'InvoiceNo': 'VARCHAR', 'StockCode': 'VARCHAR', 'Description': 'VARCHAR', 'Quantity': 'DECIMAL(18,3)', "
    "'InvoiceDate': 'TIMESTAMP', 'UnitPrice': 'DECIMAL(18,4)', 'CustomerID': 'VARCHAR', 'Country': 'VARCHAR'}"
)


def _paths(folder: str) -> tuple[Path, StatePaths]:
    business = Path(folder)
    return business, StatePaths(business / "state" / "bench")


def load(folder: str) -> Callable[[], None]:
    """Read all export files into `raw` with ledger, quarantine and identities."""
    from retention_pipeline.feeds.loading import load_feeds
    from retention_pipeline.warehouse import create_layout, open_warehouse
    from retention_pipeline.workspace.loading import load_business

    business, paths = _paths(folder)
    loaded = load_business(business)

    def work() -> None:
        with open_warehouse(paths.warehouse) as con:
            create_layout(con)
            load_feeds(con, loaded)

    return work


def bare_load(folder: str) -> Callable[[], None]:
    """Read the same files into one typed table."""
    business, paths = _paths(folder)
    target = paths.root / "bare.duckdb"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)

    def work() -> None:
        with duckdb.connect(str(target)) as con:
            reader = f"read_csv(?, header = true, columns = {_TYPES})"
            for number, path in enumerate(sorted((business / "exports").glob("*.csv.zst"))):
                verb = "INSERT INTO lines" if number else "CREATE TABLE lines AS"
                con.execute(f"{verb} SELECT * FROM {reader}", [str(path)])

    return work


def copy(folder: str, feed: str, kind: str, layout: str) -> Callable[[], None]:
    """`COPY` the one export of a business into one typed table of a new file; `layout` is `own` or `raw`."""
    business, paths = _paths(folder)
    target = paths.root / "bare.duckdb"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    options = "FORMAT parquet" if kind == "parquet" else "FORMAT csv, HEADER"

    def work() -> None:
        with duckdb.connect(str(target)) as con:
            con.execute(f"CREATE TABLE copied ({typed_columns(feed, as_raw=layout == 'raw')})")
            con.execute(f"COPY copied ({column_names(feed)}) FROM '{export_file(business, kind)}' ({options})")

    return work


def models(folder: str) -> Callable[[], None]:
    """Build and test all models for the last day of the data."""
    from retention_pipeline.dbt_runner import prepare_manifest, run_dbt
    from retention_pipeline.feeds.loading import last_complete_day
    from retention_pipeline.warehouse import open_warehouse, write_run_context
    from retention_pipeline.workspace.loading import load_business

    business, paths = _paths(folder)
    with open_warehouse(paths.warehouse) as con:
        day = last_complete_day(con)
        if day is None:
            raise RuntimeError("nothing was loaded")
        write_run_context(con, load_business(business).config, day)
    prepare_manifest(paths)

    def work() -> None:
        run = run_dbt(["build", "--exclude", "resource_type:unit_test"], paths)
        if not run.success:
            raise RuntimeError("; ".join(run.failures))

    return work


def bare_models(folder: str) -> Callable[[], None]:
    """Execute the SQL that dbt compiled, model after model, on a copy of the raw tables."""
    _, paths = _paths(folder)
    manifest = json.loads((paths.dbt_target / "manifest.json").read_text(encoding="utf-8"))
    nodes = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    order: list[str] = []

    def visit(key: str) -> None:
        if key in order or key not in nodes:
            return
        for parent in nodes[key]["depends_on"]["nodes"]:
            visit(parent)
        order.append(key)

    for key in sorted(nodes):
        visit(key)
    statements = [_statement(nodes[key], paths.dbt_target / "compiled") for key in order]

    def work() -> None:
        with duckdb.connect(str(paths.warehouse)) as con:
            con.execute("SET TimeZone = 'UTC'")
            con.execute(f"SET disabled_optimizers = '{UNSOUND_OPTIMIZER}'")
            for statement in statements:
                con.execute(statement)

    return work


def _statement(node: dict[str, Any], compiled: Path) -> str:
    kind = "VIEW" if node["config"]["materialized"] == "view" else "TABLE"
    sql = (compiled / node["package_name"] / node["original_file_path"]).read_text(encoding="utf-8")
    return f'CREATE OR REPLACE {kind} "{node["schema"]}"."{node["name"]}" AS {sql}'


def fit(folder: str) -> Callable[[], None]:
    """Train, test, calibrate and score as a run does."""
    from retention_pipeline.churn.model import train
    from retention_pipeline.churn.scoring import score
    from retention_pipeline.warehouse import open_warehouse
    from retention_pipeline.workspace.loading import load_business

    business, paths = _paths(folder)
    config = load_business(business).config

    def work() -> None:
        with open_warehouse(paths.warehouse) as con:
            day = con.execute("SELECT as_of FROM control.run").fetchall()[0][0]
            score(con, train(con, day, config.churn), day)

    return work


def bare_fit(folder: str) -> Callable[[], None]:
    """Read the same labelled rows and fit each of the two estimators once."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from retention_pipeline.churn.features import FEATURES

    _, paths = _paths(folder)

    def work() -> None:
        import numpy as np

        names = ", ".join(f"f.{feature.name}::DOUBLE AS {feature.name}" for feature in FEATURES)
        with duckdb.connect(str(paths.warehouse), read_only=True) as con:
            found = con.execute(
                f"SELECT l.has_churned, {names} FROM marts.churn_labels l JOIN marts.customer_features f "
                "USING (as_of, customer_key) ORDER BY l.as_of, l.customer_key"
            ).fetchnumpy()
        label = np.asarray(found.pop("has_churned"), dtype=bool)
        matrix = np.column_stack([np.ma.filled(column.astype(float), np.nan) for column in found.values()])
        matrix = matrix[:, ~np.isnan(matrix).all(axis=0)]
        HistGradientBoostingClassifier(random_state=0).fit(matrix, label)
        make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(max_iter=1000)).fit(matrix, label)

    return work


def whole(folder: str) -> Callable[[], None]:
    """The whole run, as `retention run` does it."""
    import os

    from retention_pipeline.cli import _run
    from retention_pipeline.settings import BUSINESS_VARIABLE, STATE_VARIABLE

    business, paths = _paths(folder)
    os.environ[BUSINESS_VARIABLE] = str(business)
    os.environ[STATE_VARIABLE] = str(paths.root.parent)

    def work() -> None:
        from io import StringIO

        from rich.console import Console

        page = StringIO()
        if not _run(business, None, Console(file=page, width=100)):
            raise RuntimeError(page.getvalue())

    return work


def day_before(folder: str, models: str) -> Callable[[], Steps]:
    """Everything up to the last day of a history, in a new state; scored by the model in the folder `models`."""
    return _one_day(folder, models, LAST_DAY)


def day_after(folder: str) -> Callable[[], Steps]:
    """The day after, of which a file has come."""
    return _one_day(folder, "", NEXT_DAY)


def _one_day(folder: str, models: str, day: date) -> Callable[[], Steps]:
    from benchmarks.days import Stopwatch, prepare_day, train_model

    business, paths = _paths(folder)
    if models and Path(models).is_dir():
        shutil.copytree(models, paths.models)
    do, watch = prepare_day(business, paths), Stopwatch()

    def work() -> Steps:
        do(day, watch)
        if models and not Path(models).is_dir():
            train_model(business, paths, day)
            shutil.copytree(paths.models, models)
            do(day, watch)
        return {name: (seconds, watch.processor_seconds[name]) for name, seconds in watch.seconds.items()}

    return work


def nothing(_folder: str) -> Callable[[], None]:
    """No work: the memory of a Python process with DuckDB."""
    return lambda: None


WORK: dict[str, Callable[..., Callable[[], Steps | None]]] = {
    function.__name__: function
    for function in (load, bare_load, copy, models, bare_models, fit, bare_fit, whole, day_before, day_after, nothing)
}


def _peak_mebibytes() -> float:
    """Peak resident memory; the kernel's own count, since that of getrusage begins with the memory of the parent."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def main() -> None:
    """Prepare the named work, time it, print the figures as one line of JSON."""
    work = WORK[sys.argv[1]](*sys.argv[2:])
    started, busy = perf_counter(), process_time()
    steps = work()
    found = {
        "steps": steps or {},
        "seconds": perf_counter() - started,
        "processor_seconds": process_time() - busy,
        "mebibytes": _peak_mebibytes(),
    }
    sys.stdout.write("\n" + json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
