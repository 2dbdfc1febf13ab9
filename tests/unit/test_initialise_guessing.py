"""`retention init` on exports that no preset knows: names in three languages, and values that decide."""

import gzip
import json

import duckdb
import pytest
import xlsxwriter

from retention_pipeline.feeds.loading import load_feeds
from retention_pipeline.workspace.loading import load_business
from tests.pipelines import ONLINE_RETAIL, OULAD
from tests.unit.export_folders import configured, init, init_and_check, orders, put, table
from tests.unit.small_exports import fetch, warehouse


def test_a_french_export_is_read_as_a_french_office_writes_it(tmp_path):
    header = ["N° commande", "Code client", "Date commande", "Référence", "Quantité", "Prix unitaire HT", "Devise"]
    for month in (1, 2):
        rows = [
            [
                month * 100 + n,
                f"C{n % 9}",
                f"{1 + n % 28:02}/{month:02}/2024 09:30",
                f"é{n % 3}",
                2,
                f"1 2{n % 10}9,50",
                "EUR",
            ]
            for n in range(40)
        ]
        put(tmp_path, f"exports/commandes_2024-{month:02}.csv", table(header, rows, ";").encode("cp1252"))
    config = init_and_check(tmp_path)
    (mapping,) = config["feeds"]["order_lines"]
    assert mapping["files"] == "exports/commandes_2024-*.csv"
    assert (mapping["delimiter"], mapping["encoding"]) == (";", "windows-1252")
    assert (mapping["decimal_mark"], mapping["thousands_mark"]) == (",", " ")
    assert mapping["time_format"] == "%d/%m/%Y %H:%M"
    assert mapping["columns"] == {
        "order_id": "N° commande",
        "customer_id": "Code client",
        "ordered_at": "Date commande",
        "sku": "Référence",
        "quantity": "Quantité",
        "unit_price": "Prix unitaire HT",
        "currency": "Devise",
    }
    assert (config["kind"], config["language"], str(config["first_day"])) == ("transactional", "fr", "2024-01-01")
    with warehouse() as con:
        load_feeds(con, load_business(tmp_path))
        assert fetch(
            con, "SELECT count(*), min(unit_price)::VARCHAR, max(ordered_at)::VARCHAR FROM raw.order_lines"
        ) == [(80, "1209.5000", "2024-02-28 09:30:00")]


def test_german_names_and_utf_16(tmp_path):
    rows = [[f"K{n}", f"k{n}@example.org", "DE", "de", f"{1 + n % 28:02}.{1 + n % 12:02}.2023"] for n in range(30)]
    text = table(["Kundennummer", "E-Mail", "Land", "Sprache", "Kunde seit"], rows, "\t")
    put(tmp_path, "exports/kunden.tsv", text.encode("utf-16"))
    rows = [[f"A{n}", f"K{n % 30}", f"{13 + n % 10}.02.2024", n % 4 + 1, "3,50"] for n in range(60)]
    put(
        tmp_path,
        "exports/bestellungen.csv",
        table(["Bestellnummer", "Kunde", "Datum", "Menge", "Einzelpreis"], rows, ";"),
    )
    config = init_and_check(tmp_path)
    (customers,) = config["feeds"]["customers"]
    assert (customers["format"], customers["encoding"], customers["time_format"]) == ("tsv", "utf-16", "%d.%m.%Y")
    assert set(customers["columns"]) == {"customer_id", "email", "country", "language", "created_at"}
    (lines,) = config["feeds"]["order_lines"]
    assert lines["columns"]["unit_price"] == "Einzelpreis" and lines["decimal_mark"] == ","
    assert config["language"] == "de"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["01/31/2024", "02/01/2024"], "%m/%d/%Y"),
        (["31/01/2024", "01/02/2024"], "%d/%m/%Y"),
        (["31-01-24 10:00", "01-02-24 11:30"], "%d-%m-%y %H:%M"),
        (["1/31/2024 2:05 PM", "2/1/2024 11:00 AM"], "%m/%d/%Y %I:%M %p"),
        (["20240131", "20240201"], "%Y%m%d"),
        (["Jan 31, 2024", "Feb 1, 2024"], "%b %d, %Y"),
        (["2024-01-31 10:00:00 UTC", "2024-02-01 10:00:00 UTC"], "%Y-%m-%d %H:%M:%S UTC"),
        (["2024/01/31 10:00", "2024/02/01 00:00"], "%Y/%m/%d %H:%M"),
        (["31/01/2024", "01/02/2024 10:00"], ["%d/%m/%Y", "%d/%m/%Y %H:%M"]),
        (["1706695200", "1706781600"], "epoch_seconds"),
        (["1706695200000", "1706781600000"], "epoch_milliseconds"),
        (["2024-01-31", "2024-02-01T10:00:00+02:00"], None),
    ],
)
def test_the_values_decide_how_times_are_written(tmp_path, written, expected):
    rows = [[f"o{n}", f"c{n % 3}", written[n % 2], 1, 5] for n in range(20)]
    put(tmp_path, "orders.csv", table(["order_id", "customer_id", "order_date", "quantity", "price"], rows))
    (mapping,) = init_and_check(tmp_path)["feeds"]["order_lines"]
    assert mapping.get("time_format") == expected
    with warehouse() as con:
        load_feeds(con, load_business(tmp_path))
        days = fetch(con, "SELECT DISTINCT ordered_at::DATE::VARCHAR FROM raw.order_lines ORDER BY ALL")
        assert days == [("2024-01-31",), ("2024-02-01",)]


def test_an_undecided_order_of_day_and_month_is_said(tmp_path):
    rows = [[f"o{n}", f"c{n % 3}", f"0{1 + n % 9}/05/2024", 1, 5] for n in range(20)]
    put(tmp_path, "orders.csv", table(["order_id", "customer_id", "order_date", "quantity", "price"], rows))
    (mapping,) = init_and_check(tmp_path)["feeds"]["order_lines"]
    assert mapping["time_format"] == "%d/%m/%Y"
    assert "day and month could be swapped" in (tmp_path / "retention.yaml").read_text()


def test_one_column_decides_the_order_for_all(tmp_path):
    header = ["subscription_id", "customer_id", "plan", "price", "created_at", "start_date", "cancelled_at"]
    rows = [
        [
            f"s{n}",
            f"c{n}",
            "basic",
            10,
            f"0{1 + n % 9}/05/2024",
            f"0{1 + n % 9}/05/2024",
            f"06/{13 + n}/2024" if n < 9 else "",
        ]
        for n in range(20)
    ]
    put(tmp_path, "subscriptions.csv", table(header, rows))
    config = init_and_check(tmp_path)
    (mapping,) = config["feeds"]["subscriptions"]
    assert config["kind"] == "subscription" and mapping["time_format"] == "%m/%d/%Y"
    assert mapping["columns"]["cancel_requested_at"] == mapping["columns"]["ended_at"] == "cancelled_at"


def test_texts_that_mean_missing_and_ids_written_as_floats(tmp_path):
    rows = [
        [f"o{n}", "nan" if n % 5 == 0 else f"{17850 + n % 6}.0", "2024-03-01", 1, 5, "N/A" if n == 1 else "cup"]
        for n in range(30)
    ]
    put(
        tmp_path,
        "sales.csv",
        table(["InvoiceNo", "CustomerID", "InvoiceDate", "Quantity", "UnitPrice", "Description"], rows),
    )
    (mapping,) = init_and_check(tmp_path)["feeds"]["order_lines"]
    assert mapping["missing"] == ["", "N/A", "nan"]
    with warehouse() as con:
        load_feeds(con, load_business(tmp_path))
        assert fetch(con, "SELECT count(customer_id), min(customer_id), count(description) FROM raw.order_lines") == [
            (24, "17850", 29)
        ]


def test_words_are_put_into_those_of_the_feed_and_signs_of_currencies_taken_off(tmp_path):
    put(tmp_path, "orders.csv", orders())
    rows = [
        [f"p{n}", f"c{n % 7}", f"2024-01-{1 + n % 28:02}", f"${1000 + n:,}.50", "usd", "payé" if n % 4 else "refusé"]
        for n in range(40)
    ]
    put(
        tmp_path,
        "paiements.csv",
        table(["payment_id", "customer_id", "payment_date", "amount", "currency", "statut"], rows),
    )
    config = init_and_check(tmp_path)
    (mapping,) = config["feeds"]["payment_attempts"]
    assert mapping["thousands_mark"] == ","
    with warehouse() as con:
        load_feeds(con, load_business(tmp_path))
        found = fetch(
            con,
            "SELECT outcome, currency, count(*), min(amount)::VARCHAR FROM raw.payment_attempts "
            "GROUP BY ALL ORDER BY 1",
        )
        assert found == [("failed", "USD", 10, "1000.5000"), ("succeeded", "USD", 30, "1001.5000")]
    rates = (tmp_path / "fx_rates_rough.csv").read_text()
    assert rates.startswith("day,currency,rate_to_business\n2024-01-01,USD,0.9")
    assert config["currency"] == "EUR"


def test_totals_become_prices_of_a_unit(tmp_path):
    rows = [[f"o{n}", f"c{n % 7}", f"2024-01-{1 + n % 28:02}", 4, "10,00"] for n in range(30)]
    put(tmp_path, "ventes.csv", table(["Numéro commande", "Client", "Date", "Qté", "Montant"], rows, ";"))
    init_and_check(tmp_path)
    with warehouse() as con:
        load_feeds(con, load_business(tmp_path))
        assert fetch(con, "SELECT DISTINCT quantity::VARCHAR, unit_price::VARCHAR FROM raw.order_lines") == [
            ("4.000", "2.5000")
        ]


def test_people_known_by_their_address_only_get_its_hash_as_id(tmp_path):
    rows = [[f"o{n}", f" P{n % 7}@Example.org", f"2024-01-{1 + n % 28:02}", 1, 5] for n in range(30)]
    put(tmp_path, "orders.csv", table(["order_id", "E-Mail", "order_date", "quantity", "price"], rows))
    rows = [[f"p{n}@example.org", f"P{n}", "FR"] for n in range(7)]
    put(tmp_path, "contacts.csv", table(["Email", "First name", "Country"], rows))
    config = init_and_check(tmp_path)
    assert config["feeds"]["order_lines"][0]["source"] == config["feeds"]["customers"][0]["source"] == "email"
    assert "identity" not in config
    with warehouse() as con:
        load_feeds(con, load_business(tmp_path))
        assert fetch(
            con, "SELECT count(DISTINCT customer_id) FROM raw.order_lines SEMI JOIN raw.customers USING (customer_id)"
        ) == [(7,)]
        assert fetch(
            con, "SELECT min(customer_id) LIKE 'email:%', min(customer_id) LIKE '%@%' FROM raw.order_lines"
        ) == [(True, False)]


def test_a_list_of_addresses_that_must_not_be_written_to(tmp_path):
    put(tmp_path, "orders.csv", orders())
    rows = [[f"p{n}@example.org", "spam", "2024-03-01"] for n in range(9)]
    put(tmp_path, "unsubscribes.csv", table(["Email", "Reason", "Date"], rows))
    (mapping,) = init_and_check(tmp_path)["feeds"]["suppressions"]
    assert mapping["columns"] == {"email": "Email", "reason": "Reason", "suppressed_at": "Date"}
    assert mapping["constants"] == {"channel": "email"}


def test_sheets_json_lines_and_parquet(tmp_path):
    workbook = xlsxwriter.Workbook(str(tmp_path / "support.xlsx"))
    tickets, answers, empty = (workbook.add_worksheet(name) for name in ("Tickets", "NPS", "Empty"))
    tickets.write_row(0, 0, ["Ticket ID", "Customer ID", "Created at", "Priority"])
    answers.write_row(0, 0, ["Customer ID", "Response date", "NPS score"])
    for n in range(1, 30):
        tickets.write_row(n, 0, [n, f"c{n % 7}", f"2024-02-{n:02} 10:00:00", "high"])
        answers.write_row(n, 0, [f"c{n % 7}", f"2024-02-{n:02}", n % 11])
    assert empty is not None
    workbook.close()
    lines = [
        json.dumps(
            {
                "id": f"e{n}",
                "user": {"id": f"c{n % 7}"},
                "user_id": f"c{n % 7}",
                "event": "login",
                "timestamp": 1706695200 + n,
            }
        )
        for n in range(40)
    ]
    put(tmp_path, "events_20240301.jsonl.gz", gzip.compress("\n".join(lines).encode()))
    duckdb.sql(
        "COPY (SELECT 'c' || i % 7 AS user_id, DATE '2024-02-01' + (i // 14)::INT AS day, "
        "CASE WHEN i % 14 < 7 THEN 'web' ELSE 'app' END AS device, 3 AS sessions FROM range(140) t(i)) "
        f"TO '{tmp_path / 'usage.parquet'}' (FORMAT parquet)"
    )
    config = init_and_check(tmp_path)
    feeds = config["feeds"]
    assert {feed: [mapping["format"] for mapping in mappings] for feed, mappings in feeds.items()} == {
        "usage": ["parquet"], "events": ["jsonl"], "tickets": ["xlsx"], "survey_responses": ["xlsx"],
    }  # fmt: skip
    assert feeds["survey_responses"][0]["sheet"] == "NPS"
    assert feeds["survey_responses"][0]["constants"] == {"survey": "nps"}
    assert feeds["events"][0]["files"] == "events_*.jsonl.gz"
    assert feeds["events"][0]["time_format"] == "epoch_seconds"
    assert feeds["usage"][0]["columns"]["feature"] == "device"
    assert config["value"] == {"fixed_value": 100}
    with warehouse() as con:
        loads = load_feeds(con, load_business(tmp_path))
        assert {feed: load.rows_loaded for feed, load in loads.items()} == {
            "usage": 140, "events": 40, "tickets": 29, "survey_responses": 29,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("products.csv", ["id", "name", "category", "price", "created_at"]),
        ("staff.csv", ["id", "name", "email", "country", "start_date"]),
        ("stores.csv", ["store_id", "city", "country", "opened_at"]),
        ("stock.csv", ["sku", "quantity", "date"]),
        ("sessions_by_country.csv", ["date", "country", "sessions"]),
    ],
)
def test_what_is_no_feed_is_taken_for_none(tmp_path, name, header):
    cells = {
        "id": "{n}",
        "store_id": "s{n}",
        "email": "p{n}@example.org",
        "price": "5",
        "quantity": "{n}",
        "sessions": "{n}",
    }
    rows = [
        [cells.get(column, "2024-01-05" if column.endswith(("at", "date")) else "x").format(n=n) for column in header]
        for n in range(20)
    ]
    put(tmp_path, name, table(header, rows))
    assert init(tmp_path).outcomes == ()


def test_what_is_like_no_feed_is_listed_with_the_nearest_and_what_is_lacking(tmp_path):
    put(tmp_path, "orders.csv", orders())
    put(tmp_path, "weather.csv", table(["station", "rain"], [["a", 1], ["b", 2]]))
    put(tmp_path, "abonnements.csv", table(["id_abonnement", "id_client", "montant"], [[n, n, 5] for n in range(9)]))
    init(tmp_path)
    text = (tmp_path / "retention.yaml").read_text()
    assert "#   weather.csv: station, rain" in text
    lines = text.splitlines()
    place = next(
        number for number, line in enumerate(lines) if "abonnements.csv: id_abonnement, id_client, montant" in line
    )
    assert "nearest to the feed subscriptions; not found: version_at, plan, started_at" in lines[place + 1]
    assert list(configured(tmp_path)["feeds"]) == ["order_lines"]


@pytest.mark.parametrize(
    ("shipped", "expected"),
    [
        (ONLINE_RETAIL, {"order_lines": 1_067_370}),
        (OULAD, {"customers": 28_785, "subscriptions": 32_548, "usage": 1_808_119}),
    ],
)
def test_the_exports_that_ship_are_found_out_without_their_configuration(tmp_path, shipped, expected):
    folder = tmp_path / shipped.name
    folder.mkdir()
    (folder / "exports").mkdir()
    for path in sorted((shipped / "exports").iterdir()):
        (folder / "exports" / path.name).hardlink_to(path)
    found = init(folder)
    loaded: dict[str, int] = {}
    for outcome in found.outcomes:
        feed = outcome.proposal.feed
        loaded[feed] = loaded.get(feed, 0) + outcome.rows_loaded
    assert loaded == expected
    assert found.unknown == () and found.unreadable == ()
    config = configured(folder)
    if shipped is ONLINE_RETAIL:
        assert str(config["first_day"]) == "2009-12-01" and config["kind"] == "transactional"
        assert config["churn"]["horizon_days"] == config["churn"]["inactivity_days"]
    else:
        assert 'coalesce("presentation"' in config["feeds"]["usage"][0]["columns"]["feature"]["sql"]
        assert config["kind"] == "subscription"
