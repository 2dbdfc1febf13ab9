"""What is published, what is refused, and what stays when nothing changed."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_pipeline.errors import RetentionError
from retention_pipeline.publish.serving import PublishedTable, publish, published_day, should_publish
from retention_pipeline.publish.tables import refuse_personal_columns
from retention_pipeline.publish.versions import KEPT_VERSIONS, start_build, versions
from retention_pipeline.settings import StatePaths

DAY = date(2026, 1, 31)
KPIS = PublishedTable(
    "marts.kpi_monthly",
    "kpi_monthly",
    "Figures of a month; it's one row per month.",
    {"month_start": "First day of the month.", "revenue": "Revenue, in business currency.", "gone": "No such column."},
    ("month_start",),
)
SCORES = PublishedTable("decisions.churn_scores", "churn_scores", "One row per customer.", order_by=("customer_key",))


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    paths = StatePaths(tmp_path / "state")
    paths.root.mkdir()
    with duckdb.connect(str(paths.warehouse)) as con:
        con.execute("CREATE SCHEMA marts; CREATE SCHEMA decisions")
        con.execute(
            "CREATE TABLE marts.kpi_monthly AS SELECT (DATE '2025-12-01' - to_months(i::INT))::DATE AS month_start,"
            " (i * 10.25)::DECIMAL(18,2) AS revenue, i::HUGEINT AS orders, ['email', 'sms'] AS channels"
            " FROM range(12) r(i)"
        )
        con.execute(
            "CREATE TABLE decisions.churn_scores AS SELECT md5(i::VARCHAR) AS customer_key,"
            " i / 1000 AS churn_probability FROM range(1000) r(i)"
        )
    return paths


def change(paths: StatePaths, sql: str) -> None:
    with duckdb.connect(str(paths.warehouse)) as con:
        con.execute(sql)


def read(database: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(database), read_only=True) as con:
        return con.execute(sql).fetchall()


def everything(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): str(path.readlink())
        if path.is_symlink()
        else hashlib.sha256(path.read_bytes()).hexdigest() + str(path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def test_tables_rows_order_and_descriptions(paths: StatePaths) -> None:
    publication = publish(paths.warehouse, paths, DAY, [SCORES, KPIS])
    assert [(table.name, table.rows) for table in publication.tables] == [("churn_scores", 1000), ("kpi_monthly", 12)]
    months = [month for (month,) in read(paths.serving, "SELECT month_start FROM kpi_monthly")]
    assert months == sorted(months)
    assert read(paths.serving, "SELECT sum(revenue), sum(orders) FROM kpi_monthly") == [(676.5, 66)]
    comments = dict(read(paths.serving, "SELECT table_name, comment FROM duckdb_tables()"))
    assert comments["kpi_monthly"] == KPIS.description
    columns = dict(read(paths.serving, "SELECT column_name, comment FROM duckdb_columns() WHERE comment IS NOT NULL"))
    assert columns["revenue"] == "Revenue, in business currency."
    assert read(paths.serving, "SELECT count(*) FROM duckdb_views() WHERE NOT internal") == [(0,)]


def test_the_publication_table_says_what_is_there(paths: StatePaths) -> None:
    publish(paths.warehouse, paths, DAY, [SCORES, KPIS])
    rows = read(paths.serving, "SELECT as_of, table_name, rows, content_hash FROM publication ORDER BY table_name")
    assert rows == [
        (DAY, name, count, hashlib.sha256((paths.parquet / f"{name}.parquet").read_bytes()).hexdigest())
        for name, count in (("churn_scores", 1000), ("kpi_monthly", 12))
    ]


def test_parquet_holds_the_same_rows_in_the_same_order(paths: StatePaths) -> None:
    publish(paths.warehouse, paths, DAY, [SCORES, KPIS])
    assert sorted(path.name for path in paths.parquet.iterdir()) == [
        "churn_scores.parquet",
        "kpi_monthly.parquet",
        "publication.parquet",
    ]
    for name in ("churn_scores", "kpi_monthly"):
        assert (
            read(paths.serving, f"SELECT * FROM {name}")
            == duckdb.execute("SELECT * FROM read_parquet(?)", [str(paths.parquet / f"{name}.parquet")]).fetchall()
        )
    codecs = duckdb.execute("SELECT DISTINCT compression FROM parquet_metadata(?)", [f"{paths.parquet}/*.parquet"])
    assert codecs.fetchall() == [("ZSTD",)]


def test_the_file_has_the_storage_version_that_old_clients_read(paths: StatePaths) -> None:
    publish(paths.warehouse, paths, DAY, [KPIS])
    header = paths.serving.read_bytes()[:20]
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") == 64  # 64 is what duckdb 0.10 to 1.1 write


def test_the_same_content_again_touches_nothing(paths: StatePaths) -> None:
    first = publish(paths.warehouse, paths, DAY, [SCORES, KPIS])
    before = everything(paths.root)
    second = publish(paths.warehouse, paths, DAY, [KPIS, SCORES])
    assert first.changed
    assert not second.changed
    assert everything(paths.root) == before


def test_rows_in_another_order_are_the_same_content(paths: StatePaths) -> None:
    publish(paths.warehouse, paths, DAY, [SCORES])
    change(
        paths, "CREATE OR REPLACE TABLE decisions.churn_scores AS SELECT * FROM decisions.churn_scores ORDER BY 2 DESC"
    )
    assert not publish(paths.warehouse, paths, DAY, [SCORES]).changed


def test_rows_that_tie_are_ordered_by_their_other_columns(paths: StatePaths) -> None:
    by_nothing = PublishedTable("decisions.churn_scores", "churn_scores", "One row per customer.")
    publish(paths.warehouse, paths, DAY, [by_nothing])
    change(
        paths, "CREATE OR REPLACE TABLE decisions.churn_scores AS SELECT * FROM decisions.churn_scores ORDER BY 2 DESC"
    )
    assert not publish(paths.warehouse, paths, DAY, [by_nothing]).changed


@pytest.mark.parametrize(
    "other",
    [
        (date(2026, 2, 1), KPIS),
        (DAY, PublishedTable("marts.kpi_monthly", "kpi_monthly", "Another text.", order_by=("month_start",))),
        (DAY, PublishedTable("marts.kpi_monthly", "kpis", KPIS.description, KPIS.column_descriptions, KPIS.order_by)),
    ],
    ids=["day", "description", "name"],
)
def test_what_a_reader_can_see_makes_a_new_version(paths: StatePaths, other: tuple[date, PublishedTable]) -> None:
    first = publish(paths.warehouse, paths, DAY, [KPIS])
    second = publish(paths.warehouse, paths, other[0], [other[1]])
    assert second.changed
    assert second.version != first.version
    assert published_day(paths) == other[0]


ORDERS = PublishedTable(
    "marts.fct_orders", "fct_orders", "One row per order.", order_by=("order_id",), by_month_of="ordered_on"
)


def _orders(paths: StatePaths) -> list[tuple[object, ...]]:
    """The orders of the serving database, which must be those of the Parquet files and of the warehouse."""
    rows = read(paths.serving, "SELECT * FROM fct_orders ORDER BY order_id")
    files = duckdb.execute("FROM read_parquet(?) ORDER BY order_id", [str(paths.parquet / "fct_orders" / "*.parquet")])
    assert rows == files.fetchall()
    assert rows == read(paths.warehouse, "SELECT * FROM marts.fct_orders ORDER BY order_id")
    return rows


def test_months_that_have_not_changed_are_not_written_again(paths: StatePaths) -> None:
    change(
        paths,
        "CREATE TABLE marts.fct_orders AS SELECT i AS order_id, 1.5 * i AS net_revenue,"
        " CASE WHEN i > 0 THEN DATE '2025-01-01' + i::INTEGER END AS ordered_on FROM range(360) t(i)",
    )
    publish(paths.warehouse, paths, DAY, [KPIS, ORDERS])
    assert len(_orders(paths)) == 360
    folder = paths.parquet / "fct_orders"
    before = {path.name: path.stat().st_ino for path in folder.iterdir()}
    assert sorted(before) == [*(f"2025-{month:02}.parquet" for month in range(1, 13)), "undated.parquet"]
    kpis = (paths.parquet / "kpi_monthly.parquet").stat().st_ino
    change(paths, "UPDATE marts.fct_orders SET net_revenue = 0 WHERE order_id = 40")
    change(paths, "DELETE FROM marts.fct_orders WHERE ordered_on >= '2025-12-01' OR ordered_on IS NULL")
    change(paths, "INSERT INTO marts.fct_orders VALUES (1000, 5, '2026-01-05')")
    published = publish(paths.warehouse, paths, DAY, [KPIS, ORDERS])
    assert published.changed
    rows = _orders(paths)
    assert (len(rows), rows[-1]) == (334, (1000, 5, date(2026, 1, 5)))
    after = {path.name: path.stat().st_ino for path in folder.iterdir()}
    assert sorted(after) == [*(f"2025-{month:02}.parquet" for month in range(1, 12)), "2026-01.parquet"]
    assert {name for name in after if after[name] != before.get(name)} == {"2025-02.parquet", "2026-01.parquet"}
    assert (paths.parquet / "kpi_monthly.parquet").stat().st_ino == kpis
    assert int.from_bytes(paths.serving.read_bytes()[12:20], "little") == 64, "old clients read it still"
    # The same content from nothing: the same files, and the same hash of the content.
    alone = StatePaths(paths.root.parent / "alone")
    anew = publish(paths.warehouse, alone, DAY, [KPIS, ORDERS])
    assert anew.tables == published.tables
    assert anew.version.rpartition("-")[2] == published.version.rpartition("-")[2]
    for path in folder.iterdir():
        assert path.read_bytes() == (alone.parquet / "fct_orders" / path.name).read_bytes()


def test_a_table_that_is_described_otherwise_is_written_anew(paths: StatePaths) -> None:
    publish(paths.warehouse, paths, DAY, [SCORES, KPIS])
    change(paths, "ALTER TABLE decisions.churn_scores ADD COLUMN band VARCHAR")
    publish(paths.warehouse, paths, DAY, [SCORES])
    assert read(paths.serving, "SELECT count(*), count(band) FROM churn_scores") == [(1000, 0)]
    tables = read(paths.serving, "SELECT table_name FROM duckdb_tables() ORDER BY 1")
    assert tables == [("churn_scores",), ("publication",)]


def test_a_version_without_its_parts_is_not_built_upon(paths: StatePaths) -> None:
    publish(paths.warehouse, paths, DAY, [KPIS])
    for parts in paths.serving_versions.glob("*/parts.json"):
        parts.unlink()
    change(paths, "UPDATE marts.kpi_monthly SET revenue = 7")
    publish(paths.warehouse, paths, DAY, [KPIS])
    assert read(paths.serving, "SELECT DISTINCT revenue FROM kpi_monthly") == [(7,)]


def test_the_newest_day_wins(paths: StatePaths) -> None:
    assert published_day(paths) is None
    assert should_publish(paths, DAY)
    publish(paths.warehouse, paths, DAY, [KPIS])
    assert published_day(paths) == DAY
    assert should_publish(paths, DAY)
    assert should_publish(paths, date(2026, 2, 1))
    assert not should_publish(paths, date(2026, 1, 30))


def test_the_last_versions_are_kept(paths: StatePaths) -> None:
    names = []
    for day in range(1, 7):
        names.append(publish(paths.warehouse, paths, date(2026, 1, day), [KPIS]).version)
    assert [version.name for version in versions(paths)] == names[-KEPT_VERSIONS:]
    assert paths.serving.resolve().parent.name == names[-1]
    assert not paths.serving.readlink().is_absolute()


def test_the_state_folder_can_be_moved(paths: StatePaths, tmp_path: Path) -> None:
    publish(paths.warehouse, paths, DAY, [KPIS])
    moved = StatePaths(paths.root.rename(tmp_path / "moved"))
    assert read(moved.serving, "SELECT count(*) FROM kpi_monthly") == [(12,)]
    assert published_day(moved) == DAY


def test_what_killed_runs_leave_is_removed(paths: StatePaths) -> None:
    publish(paths.warehouse, paths, DAY, [KPIS])
    (start_build(paths) / "serving.duckdb").write_bytes(b"half")
    (paths.serving_versions / ".link").symlink_to("nowhere")
    (paths.root / ".parquet.link").symlink_to("nowhere")
    before = paths.serving.resolve()
    assert not publish(paths.warehouse, paths, DAY, [KPIS]).changed
    assert paths.serving.resolve() == before
    assert sorted(path.name for path in paths.serving_versions.iterdir()) == sorted(["current", before.parent.name])
    assert sorted(path.name for path in paths.root.iterdir()) == [
        "parquet",
        "serving",
        "serving.duckdb",
        "warehouse.duckdb",
    ]


def test_links_lost_are_made_again(paths: StatePaths) -> None:
    publish(paths.warehouse, paths, DAY, [KPIS])
    paths.serving.unlink()
    paths.parquet.unlink()
    assert not publish(paths.warehouse, paths, DAY, [KPIS]).changed
    assert read(paths.serving, "SELECT count(*) FROM kpi_monthly") == [(12,)]
    assert (paths.parquet / "kpi_monthly.parquet").is_file()


def test_published_files_are_write_protected(paths: StatePaths) -> None:
    publish(paths.warehouse, paths, DAY, [KPIS])
    modes = {path.stat().st_mode & 0o777 for path in [paths.serving, *paths.parquet.iterdir()]}
    assert modes == {0o444}


def test_the_warehouse_is_closed_afterwards(paths: StatePaths) -> None:
    publish(paths.warehouse, paths, DAY, [KPIS])
    change(paths, "CREATE TABLE marts.another (i INT)")


@pytest.mark.parametrize(
    ("column", "leaks"),
    [
        ("email VARCHAR", True),
        ("customer_email VARCHAR", True),
        ("billing_email_address VARCHAR", True),
        ("phone VARCHAR", True),
        ("customer_id BIGINT", True),
        ("parent_customer_id VARCHAR", True),
        ("comment VARCHAR", True),
        ("body VARCHAR[]", True),
        ("attributes JSON", True),
        ("Email VARCHAR", True),
        ("consents_email BOOLEAN", False),
        ("messages_email BIGINT", False),
        ("customer_key VARCHAR", False),
        ("preferred_channel VARCHAR", False),
        ("comments INTEGER", False),
    ],
)
def test_personal_columns_are_refused(paths: StatePaths, column: str, leaks: bool) -> None:
    publish(paths.warehouse, paths, DAY, [KPIS])
    before = everything(paths.root / "serving")
    change(paths, f"CREATE TABLE marts.people ({column})")
    people = PublishedTable("marts.people", "people")
    if leaks:
        with pytest.raises(RetentionError, match=column.split()[0]):
            publish(paths.warehouse, paths, DAY, [KPIS, people])
        assert everything(paths.root / "serving") == before
    else:
        publish(paths.warehouse, paths, DAY, [KPIS, people])


def test_addresses_under_a_harmless_name_are_refused_and_not_shown(paths: StatePaths) -> None:
    change(paths, "CREATE TABLE marts.people AS SELECT 'a' AS customer_key, ['x', 'jane.roe@example.org'] AS labels")
    with pytest.raises(RetentionError, match="labels") as caught:
        publish(paths.warehouse, paths, DAY, [PublishedTable("marts.people", "people")])
    assert "jane" not in str(caught.value)
    assert not paths.serving.exists()


def test_a_missing_table_is_named(paths: StatePaths) -> None:
    with pytest.raises(RetentionError, match=r"marts\.nothing"):
        publish(paths.warehouse, paths, DAY, [PublishedTable("marts.nothing", "nothing")])


def test_an_unknown_order_is_named(paths: StatePaths) -> None:
    with pytest.raises(RetentionError, match="cannot be ordered by week_start"):
        publish(paths.warehouse, paths, DAY, [PublishedTable("marts.kpi_monthly", "k", order_by=("week_start",))])


def test_a_missing_warehouse_is_named(tmp_path: Path) -> None:
    paths = StatePaths(tmp_path)
    with pytest.raises(RetentionError, match=r"warehouse\.duckdb"):
        publish(paths.warehouse, paths, DAY, [KPIS])


def test_a_folder_in_the_way_of_the_link_is_an_error_for_people(paths: StatePaths) -> None:
    paths.parquet.mkdir()
    (paths.parquet / "own.parquet").write_bytes(b"")
    with pytest.raises(RetentionError, match="publishing failed"):
        publish(paths.warehouse, paths, DAY, [KPIS])
    assert (paths.parquet / "own.parquet").exists()


@given(st.text(alphabet="abcxyz_", max_size=12), st.sampled_from(["VARCHAR", "VARCHAR[]", "JSON", "BIGINT"]))
def test_no_prefix_hides_a_customer_id(prefix: str, kind: str) -> None:
    with pytest.raises(RetentionError):
        refuse_personal_columns("marts.t", [(f"{prefix}_customer_id", kind)])


def test_nothing_is_written_outside_the_state(
    paths: StatePaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    publish(paths.warehouse, paths, DAY, [KPIS, SCORES])
    assert list(elsewhere.iterdir()) == []
