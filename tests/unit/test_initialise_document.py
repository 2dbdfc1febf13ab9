"""The `retention.yaml` that `retention init` writes: safe, complete, and never in place of another unasked."""

from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from retention_pipeline.cli import app
from retention_pipeline.errors import RetentionError
from retention_pipeline.initialise.document import comment, scalar
from retention_pipeline.initialise.facts import business_name
from retention_pipeline.workspace.check import render_check
from tests.unit.export_folders import configured, init, init_and_check, orders, put, table


def test_a_configuration_that_is_there_stays(tmp_path):
    put(tmp_path, "orders.csv", orders())
    put(tmp_path, "retention.yaml", "mine: true\n")
    with pytest.raises(RetentionError, match="already"):
        init(tmp_path)
    assert (tmp_path / "retention.yaml").read_text() == "mine: true\n"
    init(tmp_path, force=True)
    assert render_check(tmp_path)[0]


@pytest.mark.parametrize("name", ["", "notes.md"])
def test_a_folder_without_exports_is_an_error_and_gets_no_file(tmp_path, name):
    if name:
        put(tmp_path, name, "text")
    with pytest.raises(RetentionError, match="no export files"):
        init(tmp_path)
    assert not (tmp_path / "retention.yaml").exists()
    with pytest.raises(RetentionError, match="is no folder"):
        init(tmp_path / "nowhere")


def test_without_activity_it_says_what_is_lacking(tmp_path):
    put(
        tmp_path,
        "customers.csv",
        table(["customer_id", "email", "country"], [[n, f"p{n}@example.org", "FR"] for n in range(9)]),
    )
    found = init(tmp_path)
    assert not found.is_ready
    good, text = render_check(tmp_path)
    assert not good and "at least one of order_lines" in text
    result = CliRunner().invoke(app, ["init", str(tmp_path), "--force"])
    assert result.exit_code == 1
    assert "Not ready for a run" in result.output


def test_the_command_shows_what_it_found_and_what_to_do_next(tmp_path):
    put(tmp_path, "exports/orders_2024-01.csv", orders(30))
    put(tmp_path, "exports/other.csv", table(["foo", "bar"], [[1, 2]]))
    put(tmp_path, "exports/old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    result = CliRunner().invoke(app, ["init", str(tmp_path)])
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    assert "order_lines" in text and "30" in text
    assert "other.csv: like no feed" in text and "old.xls: is an old Excel workbook" in text
    assert f"make check BUSINESS={tmp_path}" in result.output.replace("\n", "")
    again = CliRunner().invoke(app, ["init", str(tmp_path)])
    assert again.exit_code == 2 and "--force" in again.output


@given(st.text(max_size=60))
def test_any_text_is_one_value_and_one_line(text):
    line = scalar({"a": text, "b": [text]})
    assert "\n" not in line
    assert yaml.safe_load(line) == {"a": text, "b": [text]}
    assert len(comment(text).splitlines()) <= 1


HOSTILE = ["a: b", "# no", "x\ny: 1", "'; DROP TABLE x; --", 'q"q', "{{ 1 }}", "- z", "yes", "*star", "\u2028", "&amp"]


def test_hostile_names_of_columns_and_files_change_nothing(tmp_path):
    rows = [[f"o{n}", f"c{n % 7}", f"2024-01-{1 + n % 28:02}", 1, 5, *HOSTILE] for n in range(30)]
    header = ["order_id", "customer_id", "order_date", "quantity", "price", *HOSTILE]
    for name in ("orders: #1.csv", "orders[a]*.csv", "{orders}.csv"):
        put(tmp_path, name, table(header, rows))
        rows = rows[:-1]
    put(tmp_path, "strange\nthing: 1.csv", table(HOSTILE, [HOSTILE]))
    config = init_and_check(tmp_path)
    assert sorted(mapping["files"] for mapping in config["feeds"]["order_lines"]) == [
        "orders: #1.csv",
        "orders[[]a][*].csv",
        "{orders}.csv",
    ]
    lines = (tmp_path / "retention.yaml").read_text().splitlines()
    assert not [line for line in lines if line.startswith(("y: 1", "thing"))]


def test_no_cell_stands_in_the_file(tmp_path):
    rows = [
        [f"idsecret{n}", f"mailsecret{n}@example.org", "+33600000000", f"2024-01-{1 + n % 28:02}", f"wordsecret {n}"]
        for n in range(40)
    ]
    put(tmp_path, "clients.csv", table(["customer_id", "email", "phone", "signup_date", "notes"], rows))
    put(
        tmp_path,
        "tickets.csv",
        table(
            ["ticket_id", "customer_id", "created_at", "subject"],
            [[n, r[0], "not a secret day", r[4]] for n, r in enumerate(rows)],
        ),
    )
    put(tmp_path, "orders.csv", orders())
    found = init(tmp_path)
    text = (tmp_path / "retention.yaml").read_text()
    for word in ("idsecret", "mailsecret", "wordsecret", "example.org", "+336", "secret day"):
        assert word not in text
        assert word not in str(found.facts)


def test_facts_about_the_business(tmp_path):
    folder = tmp_path / "2Été & fils"
    rows = [
        [f"o{n}", f"c{n % 20}", str(date(2023, 1, 1 + n % 28)), 1, 5, "CHF" if n % 3 else "EUR"] for n in range(3000)
    ]
    rows += [["old", "c1", "1991-02-03", 1, 5, "CHF"], ["late", "c1", "2023-12-31", 1, 5, "CHF"]]
    put(folder, "orders.csv", table(["order_id", "customer_id", "order_date", "quantity", "price", "currency"], rows))
    config = init_and_check(folder)
    assert config["business"] == "business_2ete_fils"
    assert config["currency"] == "CHF" and config["timezone"] == "UTC"
    assert str(config["first_day"]) == "2023-01-01"
    assert len(config["salt"]) >= 16
    first = config["salt"]
    init(folder, force=True)
    # Another salt would give every customer another key, and reshuffle every experiment.
    assert configured(folder)["salt"] == first
    assert (folder / "fx_rates_rough.csv").read_text().splitlines()[1].startswith("2023-01-01,EUR,0.9")


def test_consents_spare_the_example(tmp_path):
    put(tmp_path, "orders.csv", orders())
    init(tmp_path)
    assert "# consent_basis:" in (tmp_path / "retention.yaml").read_text()
    assert "consent_basis" not in configured(tmp_path)
    rows = [[f"c{n}", "email", "marketing", "oui" if n % 2 else "non", "2024-01-05"] for n in range(20)]
    put(tmp_path, "consents.csv", table(["customer_id", "channel", "purpose", "status", "changed_at"], rows))
    init(tmp_path, force=True)
    assert "consent_basis:\n" not in (tmp_path / "retention.yaml").read_text()
    assert configured(tmp_path)["feeds"]["consents"]


@pytest.mark.parametrize(
    ("folder", "name"),
    [("My Shop", "my_shop"), ("été-2024", "ete_2024"), ("2024", "business_2024"), ("日本", "business")],
)
def test_short_names(tmp_path, folder, name):
    assert business_name(tmp_path / folder) == name
