"""`retention check`: a summary when all is well, and what is wrong with the first file of a pattern when not."""

from datetime import date

import pytest

from retention_pipeline.settings import PROJECT
from retention_pipeline.workspace.check import render_check
from retention_pipeline.workspace.loading import load_business
from tests.pipelines import ONLINE_RETAIL, OULAD
from tests.unit.small_exports import COLUMNS, HEADER, business, fetch, load, rows, warehouse, write


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        (
            ONLINE_RETAIL,
            "order_lines       13 files: exports/invoices_fy2010_2009-12.csv.zst ... exports/invoices_fy2010",
        ),
        (OULAD, "usage             30 files: exports/usage_2013-01.parquet ... exports/usage_2015-06.parquet"),
    ],
)
def test_the_businesses_that_ship_are_in_order(folder, expected):
    good, text = render_check(folder)
    assert good
    assert expected in text
    assert "warning" not in text
    assert text.endswith("retention.yaml is in order.")


def test_a_wrong_file_is_told_with_every_problem(tmp_path):
    write(tmp_path, "a.csv", HEADER + rows(1))
    business(tmp_path)
    path = tmp_path / "retention.yaml"
    path.write_text(path.read_text().replace("kind:", "kynd:").replace("quantity:", "quantety:"))
    good, text = render_check(tmp_path)
    assert not good
    assert "did you mean kind?" in text and "did you mean quantity?" in text


def test_a_source_column_that_the_first_file_does_not_have_is_told_with_the_nearest(tmp_path):
    write(tmp_path, "a.csv", HEADER.replace("price", "prise") + rows(1))
    business(tmp_path)
    good, text = render_check(tmp_path)
    assert not good
    assert "exports/a.csv: the column 'price' of the mapping is not in the file" in text
    assert "'price' is nearest to 'prise'" in text


def test_columns_within_expressions_are_looked_up_too(tmp_path):
    write(tmp_path, "a.csv", HEADER + rows(1))
    business(tmp_path, columns=COLUMNS.replace(": text", ": {sql: 'upper(txt) || QTY'}"))
    good, text = render_check(tmp_path)
    assert not good
    assert "the column 'txt' of the mapping is not in the file" in text


def test_what_is_allowed_and_probably_not_meant_is_a_warning(tmp_path):
    write(tmp_path, "a.csv", HEADER + rows(1))
    business(
        tmp_path,
        columns=COLUMNS + "  usage:\n    - files: use/*.csv\n      columns: {customer_id: a, used_on: b, events: c}\n",
    )
    path = tmp_path / "retention.yaml"
    path.write_text(
        path.read_text().replace("salt: nothing-to-see-here", "salt: online-retail-demonstration")
        + "plays:\n  one: {title: x, who: is_active, channel: sms, offers: [{name: a, title: b, effect: 0.1}]}\n"
    )
    good, text = render_check(tmp_path)
    assert good
    warnings = [line for line in text.splitlines() if line.startswith("warning: ")]
    assert [line.split(":")[1].strip() for line in warnings] == ["salt", "consent_basis", "feeds.usage"]
    assert "no basis for sms" in warnings[1] and "'use/*.csv'" in warnings[2]


def test_the_example_of_the_guide_works(tmp_path):
    guide = (PROJECT / "docs" / "bring-your-own-exports.md").read_text(encoding="utf-8")
    who, columns, _, delivered = (block.split("```")[0] for block in guide.split("```yaml\n")[1:])
    (tmp_path / "retention.yaml").write_text(who + columns, encoding="utf-8")
    text = "Bestellnummer;Kunde;Datum;Artikel;Menge;Einzelpreis\n1;K7;31/01/2026 10:00;Tasse «blau»;-1;12,50\n"
    write(tmp_path, "orders_2026-01.csv", text.encode("cp1252"))
    good, page = render_check(tmp_path)
    assert good and "warning: feeds" not in page, page
    with warehouse() as con:
        load(con, load_business(tmp_path))
        assert fetch(con, "SELECT kind, unit_price::VARCHAR, _known_on FROM raw.order_lines") == [
            ("return", "12.5000", date(2026, 1, 31))
        ]
    with_delivery = (who + columns).replace("      delimiter", delivered.split("\n", 1)[1] + "      delimiter")
    (tmp_path / "retention.yaml").write_text(with_delivery, encoding="utf-8")
    good, page = render_check(tmp_path)
    assert not good and "its name does not tell the day of delivery" in page


def test_the_example_of_lookups_in_the_guide_works(tmp_path):
    guide = (PROJECT / "docs" / "bring-your-own-exports.md").read_text(encoding="utf-8")
    who, columns, more, _ = (block.split("```")[0] for block in guide.split("```yaml\n")[1:])
    (tmp_path / "retention.yaml").write_text(who + columns + more, encoding="utf-8")
    files = {
        "subscription_history": "id,customer_id,changed,start,livemode\ns1,c1,2026-01-02,2026-01-01,true\n"
        "s1,,2026-01-03,2026-01-01,true\ns2,c2,2026-01-03,2026-01-01,false\n",
        "subscription_item": "subscription_id,plan_id,created\ns1,p1,1\ns1,p2,2\n",
        "plan": "id,nickname,amount,currency\np1,Basic,500,eur\np2,Pro,1250,eur\n",
    }
    for name, text in files.items():
        write(tmp_path, f"2026-01-31/{name}.csv", text)
    good, page = render_check(tmp_path)
    assert good, page
    with warehouse() as con:
        assert load(con, load_business(tmp_path), "subscriptions").rows_skipped == 1
        found = "SELECT customer_id, plan, price::VARCHAR, currency, trial_ends_at FROM raw.subscriptions"
        assert fetch(con, found) == [("billing:c1", "Pro", "12.5000", "EUR", None)] * 2


def test_an_expression_that_does_not_fit_the_columns_is_told(tmp_path):
    columns = COLUMNS + "        category: {sql: text + 1 + qty}\n"
    write(tmp_path, "a.csv", HEADER + rows(1))
    business(tmp_path, columns=columns)
    good, page = render_check(tmp_path)
    assert not good
    assert "exports/a.csv: an expression of the mapping does not fit the file" in page


def test_a_folder_without_configuration_is_told(tmp_path):
    good, text = render_check(tmp_path)
    assert not good and "there is no retention.yaml" in text
