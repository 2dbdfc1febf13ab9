"""Readers of the serving database while it is replaced, while its writer is killed, and while the disk is full."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from retention_pipeline.publish.serving import PublishedTable, publish, published_day
from retention_pipeline.publish.versions import KEPT_VERSIONS, versions
from retention_pipeline.settings import PROJECT, StatePaths

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("publish_readers")]

FIRST = date(2026, 1, 1)
ROWS = 20_000
TABLES = [
    PublishedTable("marts.kpi_daily", "kpi_daily", "One row per day.", order_by=("day",)),
    PublishedTable("marts.customer_360", "customer_360", "One row per customer.", order_by=("customer_key",)),
]

# Reads the serving database through its link until it is told to stop: keeps one connection open for a while, opens
# others, and compares what the two tables and the Parquet file say about the publication that they belong to.
READER = """
import sys, duckdb
from pathlib import Path
link, parquet, stop = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])

def stamp(con):
    tables = ("kpi_daily", "customer_360")
    rows = [row for table in tables for row in con.execute("SELECT DISTINCT stamp FROM " + table).fetchall()]
    assert len(rows) == 2 and rows[0] == rows[1], rows
    assert con.execute("SELECT count(*) FROM customer_360").fetchall() == [({rows},)]
    return rows[0][0]

newest = reads = 0
while not stop.exists():
    kept = duckdb.connect(str(link), read_only=True)
    held = stamp(kept)
    for _ in range(20):
        with duckdb.connect(str(link), read_only=True) as con:
            seen = stamp(con)
        assert seen >= newest, (seen, newest)
        newest = seen
        with duckdb.connect() as con:
            file = con.execute("SELECT min(stamp), max(stamp) FROM read_parquet(?)", [str(parquet)]).fetchall()[0]
        assert file[0] == file[1] >= newest, (file, newest)
        assert stamp(kept) == held
        reads += 1
    kept.close()
print(reads, newest)
""".replace("{rows}", str(ROWS))

PUBLISHER = """
import resource, signal, sys
from datetime import date
from pathlib import Path
from retention_pipeline.errors import RetentionError
from retention_pipeline.publish.serving import publish
from retention_pipeline.settings import StatePaths
from tests.integration.test_publish_readers import TABLES
paths, limit = StatePaths(Path(sys.argv[1])), int(sys.argv[3])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
print("ready", flush=True)
try:
    publish(paths.warehouse, paths, date.fromisoformat(sys.argv[2]), TABLES)
except RetentionError as error:
    print(error.text())
    sys.exit(2)
"""


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    paths = StatePaths(tmp_path / "state")
    paths.root.mkdir()
    stamp_warehouse(paths, 0)
    return paths


def stamp_warehouse(paths: StatePaths, stamp: int) -> None:
    """Give every row of both tables the number of the publication that it will belong to."""
    with duckdb.connect(str(paths.warehouse)) as con:
        con.execute("CREATE SCHEMA IF NOT EXISTS marts")
        con.execute(
            "CREATE OR REPLACE TABLE marts.kpi_daily AS"
            f" SELECT (DATE '2025-01-01' + i::INT) AS day, {stamp} AS stamp FROM range(365) r(i)"
        )
        con.execute(
            "CREATE OR REPLACE TABLE marts.customer_360 AS"
            f" SELECT md5(i::VARCHAR) AS customer_key, random() AS value, {stamp} AS stamp FROM range({ROWS}) r(i)"
        )


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", *map(str, arguments)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def stamp_of_database(paths: StatePaths) -> int:
    """Read both tables of the serving database; the stamp on which they agree."""
    with duckdb.connect(str(paths.serving), read_only=True) as con:
        customers = con.execute("SELECT count(*), min(stamp), max(stamp) FROM customer_360").fetchall()[0]
        days = con.execute("SELECT count(*), min(stamp), max(stamp) FROM kpi_daily").fetchall()[0]
    assert (customers[0], days[0]) == (ROWS, 365)
    assert len({*customers[1:], *days[1:]}) == 1
    return int(customers[1])


def visible_stamp(paths: StatePaths) -> int:
    """Read everything that is published, while nobody publishes; the stamp on which all of it agrees."""
    stamp = stamp_of_database(paths)
    for name, rows in (("customer_360", ROWS), ("kpi_daily", 365)):
        file = duckdb.execute(
            "SELECT count(*), min(stamp), max(stamp) FROM read_parquet(?)", [str(paths.parquet / f"{name}.parquet")]
        ).fetchall()
        assert file == [(rows, stamp, stamp)]
    return stamp


def test_a_hundred_publications_under_readers(paths: StatePaths, tmp_path: Path) -> None:
    publish(paths.warehouse, paths, FIRST, TABLES)
    stop = tmp_path / "stop"
    process = start(READER, paths.serving, paths.parquet / "customer_360.parquet", stop)
    failures: list[BaseException] = []
    seen: set[int] = set()

    def read_in_thread() -> None:
        try:
            while not stop.exists():
                seen.add(stamp_of_database(paths))
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=read_in_thread)
    thread.start()
    try:
        for number in range(1, 101):
            stamp_warehouse(paths, number)
            publish(paths.warehouse, paths, FIRST + timedelta(days=number), TABLES)
    finally:
        stop.touch()
        thread.join(timeout=60)
        output, _ = process.communicate(timeout=60)
    assert failures == []
    assert process.returncode == 0, output
    reads, newest = map(int, output.split())
    assert reads >= 20
    assert newest > 10
    assert len(seen) > 10
    assert visible_stamp(paths) == 100
    assert len(versions(paths)) == KEPT_VERSIONS


def test_kills_at_any_moment_leave_the_old_or_the_new(paths: StatePaths) -> None:
    publish(paths.warehouse, paths, FIRST, TABLES)
    stamp_warehouse(paths, 1)
    started = time.monotonic()
    publish(paths.warehouse, paths, FIRST + timedelta(days=1), TABLES)
    usual = time.monotonic() - started
    rng = random.Random(20260101)
    visible, killed = 1, 0
    for number in range(2, 22):
        stamp_warehouse(paths, number)
        child = start(PUBLISHER, paths.root, FIRST + timedelta(days=number), 0)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0, usual))
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=60)
        killed += child.returncode == -signal.SIGKILL
        after = visible_stamp(paths)
        assert after in {visible, number}
        assert published_day(paths) == FIRST + timedelta(days=after)
        visible = after
    assert killed >= 12
    stamp_warehouse(paths, 100)
    publish(paths.warehouse, paths, FIRST + timedelta(days=100), TABLES)
    assert visible_stamp(paths) == 100
    assert {path.name for path in paths.root.iterdir()} == {"warehouse.duckdb", "serving.duckdb", "serving", "parquet"}
    assert {path.name for path in paths.serving_versions.iterdir()} == {
        "current",
        *(version.name for version in versions(paths)),
    }
    assert len(versions(paths)) <= KEPT_VERSIONS


@pytest.mark.parametrize("limit", [4_096, 65_536, 400_000])
def test_a_full_disk_is_an_error_for_people_and_leaves_the_old(paths: StatePaths, limit: int) -> None:
    """No file may grow beyond `limit` bytes: what a process is told is what a full disk tells it."""
    publish(paths.warehouse, paths, FIRST, TABLES)
    size = paths.serving.stat().st_size
    assert size > limit
    stamp_warehouse(paths, 1)
    child = start(PUBLISHER, paths.root, FIRST + timedelta(days=1), limit)
    output, _ = child.communicate(timeout=60)
    assert child.returncode == 2, output
    assert "publishing failed" in output
    assert "way out" in output
    assert visible_stamp(paths) == 0
    assert published_day(paths) == FIRST
    publish(paths.warehouse, paths, FIRST + timedelta(days=1), TABLES)
    assert visible_stamp(paths) == 1


def test_a_client_from_before_reads_every_table(paths: StatePaths, online_retail: StatePaths, tmp_path: Path) -> None:
    """duckdb 1.1.3 from 2024, in an environment of its own; skipped where no package index can be reached."""
    with duckdb.connect(str(paths.warehouse)) as con:
        con.execute(
            "CREATE TABLE marts.kinds AS SELECT i::HUGEINT AS h, i::DECIMAL(18,2) AS d, DATE '2026-01-01' AS day,"
            " TIMESTAMP '2026-01-01 10:00' AS t, ['a', NULL] AS l, i % 2 = 0 AS b, 'x' || i AS v, NULL::DOUBLE AS n"
            " FROM range(5000) r(i)"
        )
    publish(paths.warehouse, paths, FIRST, [*TABLES, PublishedTable("marts.kinds", "kinds", "Every kind.")])
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "old")], check=True, timeout=120)
    python = tmp_path / "old" / "bin" / "python"
    lock = Path(__file__).with_name("old_duckdb.lock")
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    installed = subprocess.run([*install, "-r", lock], capture_output=True, text=True, check=False, timeout=300)
    if "hashes" in installed.stderr.lower() or (installed.returncode and "No matching" not in installed.stderr):
        pytest.fail(installed.stderr)
    if installed.returncode:
        pytest.skip("duckdb 1.1.3 cannot be fetched here")
    script = (
        "import sys, duckdb\n"
        "con = duckdb.connect(sys.argv[1], read_only=True)\n"
        "print(duckdb.__version__)\n"
        "for name, comment in con.execute('SELECT table_name, comment FROM duckdb_tables() ORDER BY 1').fetchall():\n"
        "    print(name, comment, con.execute(f'SELECT count(hash(t)) FROM {name} t').fetchone()[0], sep='|')\n"
        "if len(sys.argv) > 2:\n"
        "    print(con.execute(sys.argv[2]).fetchone())\n"
    )

    def read(*arguments: object) -> list[str]:
        command = [str(part) for part in (python, "-c", script, *arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()

    version, *tables, sums = read(paths.serving, "SELECT sum(h), sum(d), max(l) FROM kinds")
    assert version == "1.1.3"
    assert tables[0] == f"customer_360|One row per customer.|{ROWS}"
    assert [line.split("|")[0] for line in tables] == ["customer_360", "kinds", "kpi_daily", "publication"]
    assert sums == "(12497500, Decimal('12497500.00'), ['a', None])"
    with duckdb.connect(str(online_retail.serving), read_only=True) as con:
        expected = con.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
        rows = {name: con.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0] for (name,) in expected}
    seen = {name: int(count) for name, *_, count in (line.split("|") for line in read(online_retail.serving)[1:])}
    assert seen == rows
