"""What a run of loading leaves in raw and in the ledger: new, changed, repeated and overlapping files."""

from datetime import date, datetime
from decimal import Decimal

import duckdb
import pytest

from retention_pipeline.feeds.loading import last_complete_day, load_feeds
from retention_pipeline.warehouse import create_layout
from retention_pipeline.workspace.loading import load_business
from tests.pipelines import ONLINE_RETAIL
from tests.unit.small_exports import (
    COLUMNS,
    HEADER,
    business,
    fetch,
    load,
    quarantined,
    row,
    rows,
    warehouse,
    write,
)


def test_a_good_file_is_loaded_with_its_lines_times_in_utc_and_business_days(tmp_path):
    write(tmp_path, "a.csv", HEADER + row(time="2024-01-05 00:30:00") + row("o2", "", "2024-07-05 00:30:00", "-2", "3"))
    with warehouse() as con:
        result = load(con, business(tmp_path))
        found = fetch(
            con,
            "SELECT _line, _known_on, order_id, customer_id, ordered_at, quantity, unit_price, currency, description "
            "FROM raw.order_lines ORDER BY _line",
        )
    winter, summer = datetime(2024, 1, 4, 23, 30), datetime(2024, 7, 4, 22, 30)
    assert found == [
        (2, date(2024, 1, 5), "o1", "c1", winter, Decimal("1.000"), Decimal("2.5000"), "EUR", None),
        (3, date(2024, 7, 5), "o2", None, summer, Decimal("-2.000"), Decimal("3.0000"), "EUR", None),
    ]
    assert (result.files_seen, result.files_new, result.rows_read, result.rows_loaded) == (1, 1, 2, 2)
    assert (result.first_day, result.last_day, result.rows_in_raw) == (date(2024, 1, 5), date(2024, 7, 5), 2)
    assert result.problems == () and result.rules == {} and result.new_columns == ()


def test_loading_again_changes_nothing(tmp_path):
    write(tmp_path, "a.csv", HEADER + rows(3))
    with warehouse() as con:
        load(con, business(tmp_path))
        before = fetch(con, "FROM raw.ledger"), fetch(con, "FROM raw.order_lines")
        told = []
        result = load_feeds(con, business(tmp_path), told.append)["order_lines"]
        assert (fetch(con, "FROM raw.ledger"), fetch(con, "FROM raw.order_lines")) == before
    assert told == []
    assert (result.files_seen, result.files_new, result.rows_loaded) == (1, 0, 3)


def test_the_same_content_under_another_name_is_noted_once_and_not_loaded(tmp_path):
    write(tmp_path, "a.csv", HEADER + rows(3))
    write(tmp_path, "b.csv", HEADER + rows(3))
    with warehouse() as con:
        load(con, business(tmp_path))
        result = load(con, business(tmp_path))
        ledger = fetch(con, "SELECT path, status, rows_loaded FROM raw.ledger ORDER BY batch_id")
    assert ledger == [("exports/a.csv", "loaded", 3), ("exports/b.csv", "same_content", 0)]
    assert (result.rows_read, result.rows_in_raw, result.files_seen) == (3, 3, 2)


def test_new_content_of_a_path_supersedes_the_old_rows_which_raw_keeps(tmp_path):
    write(tmp_path, "a.csv", HEADER + rows(3))
    write(tmp_path, "b.csv", HEADER + rows(2, start=10))
    with warehouse() as con:
        load(con, business(tmp_path))
        write(tmp_path, "a.csv", HEADER + rows(5))
        result = load(con, business(tmp_path))
        ledger = fetch(con, "SELECT batch_id, path, status, superseded_by FROM raw.ledger ORDER BY batch_id")
    assert ledger == [
        (1, "exports/a.csv", "loaded", 3),
        (2, "exports/b.csv", "loaded", None),
        (3, "exports/a.csv", "loaded", None),
    ]
    assert (result.files_new, result.rows_read, result.rows_loaded, result.rows_in_raw) == (1, 7, 7, 10)


def test_a_path_that_gets_its_old_content_back_is_loaded_again(tmp_path):
    with warehouse() as con:
        for content in (rows(3), rows(4), rows(3)):
            write(tmp_path, "a.csv", HEADER + content)
            result = load(con, business(tmp_path))
        ledger = fetch(con, "SELECT rows_loaded, superseded_by FROM raw.ledger ORDER BY batch_id")
    assert ledger == [(3, 2), (4, 3), (3, None)]
    assert result.rows_loaded == 3


@pytest.mark.parametrize("changed", ["a.csv", "b.csv"])
def test_a_copy_takes_over_when_the_first_of_two_equal_files_changes(tmp_path, changed):
    write(tmp_path, "a.csv", HEADER + rows(3))
    write(tmp_path, "b.csv", HEADER + rows(3))
    with warehouse() as con:
        load(con, business(tmp_path))
        write(tmp_path, changed, HEADER + rows(2, start=50))
        result = load(con, business(tmp_path))
        current = fetch(
            con,
            "SELECT path, rows_loaded FROM raw.ledger WHERE status = 'loaded' AND superseded_by IS NULL ORDER BY path",
        )
    assert dict(current) == {"exports/a.csv": 3, "exports/b.csv": 3} | {f"exports/{changed}": 2}
    assert result.rows_loaded == 5


def test_a_copy_takes_over_within_the_run_in_which_its_original_changes(tmp_path):
    write(tmp_path, "z.csv", HEADER + rows(3))
    with warehouse() as con:
        load(con, business(tmp_path))
        write(tmp_path, "a.csv", HEADER + rows(3))
        load(con, business(tmp_path))
        write(tmp_path, "z.csv", HEADER + rows(2, start=50))
        assert load(con, business(tmp_path)).rows_loaded == 5


def test_a_changed_mapping_loads_the_file_again(tmp_path):
    write(tmp_path, "a.csv", HEADER + row(text="Blue"))
    with warehouse() as con:
        load(con, business(tmp_path))
        result = load(con, business(tmp_path, columns=COLUMNS.replace(": text", ": {sql: upper(text)}")))
        ledger = fetch(con, "SELECT batch_id, superseded_by FROM raw.ledger ORDER BY batch_id")
        texts = fetch(con, "SELECT description FROM raw.order_lines ORDER BY _batch_id")
        again = load(
            con, business(tmp_path, "max_bad_share: 0.5", columns=COLUMNS.replace("text", "{sql: upper(text)}"))
        )
    assert ledger == [(1, 2), (2, None)] and texts == [("Blue",), ("BLUE",)]
    assert result.rows_loaded == 1
    assert again.files_new == 0, "the limit of bad rows does not change the rows"


def test_a_file_that_is_gone_keeps_its_rows(tmp_path):
    path = write(tmp_path, "a.csv", HEADER + rows(3))
    with warehouse() as con:
        load(con, business(tmp_path))
        path.unlink()
        result = load(con, business(tmp_path))
    assert (result.files_seen, result.rows_loaded, result.problems) == (0, 3, ())


def test_true_repeats_within_a_file_stay_and_overlaps_between_files_are_told_by_their_identity(tmp_path):
    once, twice = row("o1"), row("o2") + row("o2")
    write(tmp_path, "a.csv", HEADER + once + twice)
    write(tmp_path, "b.csv", HEADER + twice + row("o3"))
    with warehouse() as con:
        load(con, business(tmp_path))
        found = fetch(
            con, "SELECT order_id, count(*), count(DISTINCT _line_id) FROM raw.order_lines GROUP BY 1 ORDER BY 1"
        )
    assert found == [("o1", 1, 1), ("o2", 4, 2), ("o3", 1, 1)]


@pytest.mark.parametrize(
    ("first", "second", "lines"),
    [
        ("NA,x", ",x", 2),
        ("x,", ",x", 2),
        ("x,NA", "NA,x", 2),
        ("NA,x", "NA,x ", 2),
        ('"x",x', "x,x", 1),
    ],
)
def test_identity_tells_missing_from_empty_and_one_column_from_the_next(tmp_path, first, second, lines):
    header = HEADER.replace("text", "text,category")
    write(tmp_path, "a.csv", f"{header}o1,c1,2024-01-05 10:00:00,1,2.50,{first}\n")
    write(tmp_path, "b.csv", f"{header}o1,c1,2024-01-05T10:00,1.0,2.5,{second}\n")
    with warehouse() as con:
        load(con, business(tmp_path, "missing: [NA]", columns=COLUMNS + "        category: category\n"))
        assert fetch(con, "SELECT count(DISTINCT _line_id) FROM raw.order_lines") == [(lines,)]


def test_the_delivery_day_in_the_name_is_the_day_from_which_rows_are_known(tmp_path):
    write(tmp_path, "orders_20240131.csv", HEADER + row(time="2024-01-05 10:00:00") + row(time="2024-02-03 10:00:00"))
    options = "delivered: {pattern: '_(?P<day>[0-9]{8})'}\nmax_bad_share: 1"
    with warehouse() as con:
        result = load(con, business(tmp_path, options))
        found = fetch(con, "SELECT _known_on FROM raw.order_lines")
        bad = quarantined(con)
        ledger = fetch(con, "SELECT delivered_on, delivered_from, last_day FROM raw.ledger")
    assert found == [(date(2024, 1, 31),)]
    assert bad == [(3, "ordered_at", "after_delivery", "2024-02-03 10:00:00")]
    assert ledger == [(date(2024, 1, 31), "file name", date(2024, 1, 5))]
    assert result.rules == {"after_delivery": 1}


def test_a_month_in_the_name_is_known_from_its_last_day_and_a_day_more_is_granted(tmp_path):
    write(tmp_path, "orders_2024-02.csv", HEADER + row(time="2024-03-01 22:00:00"))
    with warehouse() as con:
        load(con, business(tmp_path, "delivered: {pattern: '_(?P<month>[0-9]{4}-[0-9]{2})'}"))
        assert fetch(con, "SELECT _known_on FROM raw.order_lines") == [(date(2024, 2, 29),)]


def test_rows_after_today_are_loaded_where_no_delivery_is_known(tmp_path):
    write(tmp_path, "a.csv", HEADER + row(time="2199-01-05 10:00:00"))
    with warehouse() as con:
        assert load(con, business(tmp_path)).rows_loaded == 1


def test_the_last_complete_day_is_the_newest_day_in_force(tmp_path):
    write(tmp_path, "a.csv", HEADER + row(time="2024-03-05 23:59:00"))
    with warehouse() as con:
        assert last_complete_day(con) is None
        load(con, business(tmp_path))
        assert last_complete_day(con) == date(2024, 3, 5)
        write(tmp_path, "a.csv", HEADER + row(time="2024-02-01 12:00:00"))
        load(con, business(tmp_path))
        assert last_complete_day(con) == date(2024, 2, 1)


def test_files_are_taken_in_the_order_of_their_names(tmp_path):
    for name in ("c.csv", "a.csv", "b.csv"):
        write(tmp_path, name, HEADER + row(name))
    told = []
    with warehouse() as con:
        load_feeds(con, business(tmp_path), told.append)
        assert [path for (path,) in fetch(con, "SELECT path FROM raw.ledger ORDER BY batch_id")] == [
            "exports/a.csv",
            "exports/b.csv",
            "exports/c.csv",
        ]
    assert told[0] == "order_lines: exports/a.csv (1 of 3)"


def test_a_column_that_appears_later_is_reported_once(tmp_path):
    write(tmp_path, "a.csv", HEADER + rows(1))
    with warehouse() as con:
        assert load(con, business(tmp_path)).new_columns == ()
        write(tmp_path, "b.csv", HEADER.replace("text", "text,colour") + row("n1").replace("\n", ",red\n"))
        write(tmp_path, "c.csv", HEADER.replace("text", "text,colour") + row("n2").replace("\n", ",red\n"))
        result = load(con, business(tmp_path))
        assert load(con, business(tmp_path)).new_columns == ()
        ledger = fetch(con, "SELECT path, new_columns FROM raw.ledger ORDER BY batch_id")
    assert result.new_columns == ("colour",) and result.problems == ()
    assert ledger == [("exports/a.csv", []), ("exports/b.csv", ["colour"]), ("exports/c.csv", [])]


def test_two_mappings_of_one_file_are_two_batches_and_a_mapping_that_is_gone_ends(tmp_path):
    write(tmp_path, "a.csv", HEADER + rows(2))
    second = COLUMNS.replace("order_id: order", 'order_id: {sql: "\'second-\' || \\"order\\""}')
    both = COLUMNS + "    - files: exports/*.csv\n" + second
    with warehouse() as con:
        assert load(con, business(tmp_path, columns=both)).rows_loaded == 4
        write(tmp_path, "a.csv", HEADER + rows(3))
        assert load(con, business(tmp_path, columns=both)).rows_loaded == 6
        assert load(con, business(tmp_path)).rows_loaded == 3


def test_a_killed_run_leaves_no_text_behind_and_the_next_one_cleans_up(tmp_path):
    write(tmp_path, "a.csv", (HEADER + row(text="é")).encode("cp1252"))
    leftover = tmp_path / "state" / "warehouse.reading"
    leftover.mkdir(parents=True)
    (leftover / "export.csv").write_text("left by a killed run")
    with duckdb.connect(str(tmp_path / "state" / "warehouse.duckdb")) as con:
        con.execute("SET TimeZone = 'UTC'")
        create_layout(con)
        assert load(con, business(tmp_path, "encoding: windows-1252")).rows_loaded == 1
    assert not leftover.exists()


def test_one_month_of_the_shop_gives_the_same_lines_in_both_vocabularies(tmp_path):
    shop = load_business(ONLINE_RETAIL)
    exports = tmp_path / "exports"
    exports.mkdir()
    (tmp_path / "retention.yaml").write_text((ONLINE_RETAIL / "retention.yaml").read_text())
    for name in ("invoices_fy2010_2010-12.csv.zst", "invoices_fy2011_2010-12.csv.zst"):
        (exports / name).write_bytes((ONLINE_RETAIL / "exports" / name).read_bytes())
    with warehouse() as con:
        result = load(con, load_business(tmp_path))
        found = fetch(con, "SELECT count(*), count(DISTINCT _line_id) FROM raw.order_lines")
        overlap = fetch(
            con,
            "SELECT count(*) FROM raw.order_lines a SEMI JOIN (FROM raw.order_lines WHERE _batch_id = 2) b "
            "USING (_line_id) WHERE a._batch_id = 1",
        )
        kinds = dict(fetch(con, "SELECT kind, count(*) FROM raw.order_lines GROUP BY kind"))
    assert shop.config.currency == "GBP" and result.rows_quarantined == 0
    # 22,523 lines of 1-9 December 2010 stand in both exports (data README).
    assert found == [(result.rows_loaded, result.rows_loaded - 22_523)]
    assert overlap == [(22_523,)]
    assert set(kinds) == {"purchase", "cancellation", "fee", "adjustment"}


def test_an_event_with_an_id_is_one_event_however_often_it_is_delivered(tmp_path):
    write(tmp_path, "a.csv", HEADER + rows(1))
    write(tmp_path, "e1.txt", "id,who,at,name\n1,c,2024-01-05,login\n1,c,2024-01-05,login\n,c,2024-01-05,login\n")
    write(tmp_path, "e2.txt", "id,who,at,name\n1,c,2024-01-06,login\n,c,2024-01-05,login\n,c,2024-01-05,login\n")
    feeds = COLUMNS + (
        "  events:\n    - files: exports/e*.txt\n      columns:\n        event_id: id\n        customer_id: who\n"
        "        occurred_at: at\n        name: name\n"
    )
    with warehouse() as con:
        load(con, business(tmp_path, columns=feeds), "events")
        found = fetch(con, "SELECT event_id, count(*), count(DISTINCT _line_id) FROM raw.events GROUP BY 1 ORDER BY 1")
    assert found == [("1", 3, 1), (None, 3, 2)], "two equal events without an id are two"
