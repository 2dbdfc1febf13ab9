"""Every kind of file that cannot be taken: what is said, that the rest is loaded, and that it ends when mended."""

import gzip

import pytest
import zstandard

from retention_pipeline.feeds.taking import BLOCKED_SAMPLE
from tests.unit.small_exports import COLUMNS, HEADER, business, fetch, load, quarantined, row, rows, warehouse, write

MANY = HEADER + rows(3000)


def refusals() -> dict[str, tuple[str, bytes, str, list[str]]]:
    """Kind → file name, content, options of the mapping, and what the message must hold."""
    packed, gz = zstandard.compress(MANY.encode()), gzip.compress(MANY.encode(), mtime=0)
    damaged = bytearray(gz)
    damaged[len(gz) // 2] ^= 0xFF
    return {
        "missing column": (
            "x.csv",
            (HEADER.replace("price", "prise") + rows(2)).encode(),
            "",
            ["column 'price' of the mapping is not in the file", "found:", "'prise'", "'price' is nearest to 'prise'"],
        ),
        "wrong delimiter": (
            "x.csv",
            (HEADER + rows(2)).replace(",", ";").encode(),
            "",
            ["separated by ';'", "set `delimiter`"],
        ),
        "column twice": (
            "x.csv",
            (HEADER.replace("text", "qty") + rows(2)).encode(),
            "",
            ["column 'text' of the mapping is not in the file"],
        ),
        "mapped column twice": (
            "x.csv",
            (HEADER.strip() + ",qty\n" + rows(2).replace("\n", ",1\n")).encode(),
            "",
            ["the header holds 'qty' more than once"],
        ),
        "latin-1 for utf-8": (
            "x.csv",
            (HEADER + rows(3) + row(text="é")).encode("latin-1"),
            "",
            ["is not utf-8: line 5 holds a byte", "expected: utf-8", "set `encoding`"],
        ),
        "latin-1 in a column that is not mapped": (
            "x.csv",
            (HEADER.replace("text", "text,more") + rows(2).replace("\n", ",é\n")).encode("latin-1"),
            "",
            ["is not utf-8: line 2 holds a byte"],
        ),
        "latin-1 header": (
            "x.csv",
            ("é" + HEADER + rows(3)).encode("latin-1"),
            "",
            ["is not utf-8: line 1 holds a byte", "set `encoding`"],
        ),
        "utf-16 for utf-8": (
            "x.csv",
            (HEADER + rows(3)).encode("utf-16"),
            "",
            ["expected: utf-8", "found:    the byte order mark of UTF-16", "encoding: utf-16"],
        ),
        "utf-8 for utf-16": (
            "x.csv",
            (HEADER + rows(3) + "é").encode(),
            "encoding: utf-16",
            ["is not utf-16: line 1 holds a byte"],
        ),
        "not windows-1252": (
            "x.csv",
            HEADER.encode() + rows(2).encode() + b"\x81\n",
            "encoding: windows-1252",
            ["is not windows-1252: line 4 holds a byte"],
        ),
        "truncated zst": ("x.csv.zst", packed[: len(packed) // 2], "", ["the archive ends too early", "Zstandard"]),
        "truncated gz": ("x.csv.gz", gz[: len(gz) // 2], "", ["the archive ends too early", "gzip"]),
        "damaged gz": ("x.csv.gz", bytes(damaged), "", ["the archive is damaged"]),
        "empty zst": ("x.csv.zst", b"", "", ["expected: Zstandard data", "found:    an empty file"]),
        "text named gz": ("x.csv.gz", MANY.encode(), "", ["expected: gzip data", "found:    text"]),
        "gzip named csv": ("x.csv", gz, "", ["expected: text", "found:    gzip data"]),
        "workbook named csv": ("x.csv", b"PK\x03\x04" + b"x" * 50, "", ["found:    a zip archive (Excel"]),
        "parquet named csv": ("x.csv", b"PAR1" + b"x" * 50, "", ["found:    a Parquet file"]),
        "csv for parquet": ("x.csv", MANY.encode(), "format: parquet", ["cannot be read as Parquet", "other data"]),
        "truncated parquet": ("x.csv", b"PAR1" + b"x" * 50, "format: parquet", ["damaged or ends too early"]),
        "empty": ("x.csv", b"", "", ["is empty", "expected: a header line"]),
        "first line empty": ("x.csv", ("\n" + HEADER + rows(2)).encode(), "", ["the first line is empty"]),
        "name without day": (
            "x.csv",
            (HEADER + rows(2)).encode(),
            "delivered: {pattern: '(?P<day>[0-9]{8})|good'}",
            ["its name does not tell the day of delivery", "found:    x.csv"],
        ),
        "impossible day": (
            "x_20241399.csv",
            (HEADER + rows(2)).encode(),
            "delivered: {pattern: '(?P<day>[0-9]{8})'}",
            ["its name does not tell the day of delivery"],
        ),
    }


@pytest.mark.parametrize("kind", refusals())
def test_a_file_that_cannot_be_read_is_refused_with_one_message_and_every_other_is_loaded(tmp_path, kind):
    name, content, options, messages = refusals()[kind]
    columns, files = COLUMNS, f"exports/*{''.join(name.partition('.')[1:])}"
    write(tmp_path, name, content)
    good = {"": MANY.encode(), "encoding: windows-1252": MANY.encode()}.get(options)
    if good is not None:
        packer = {".gz": gzip.compress, "zst": zstandard.compress}.get(name[-3:], bytes)
        write(tmp_path, f"good.{name.split('.', 1)[1]}", packer(good))
    loaded = business(tmp_path, options, columns=columns, files=files)
    with warehouse() as con:
        result = load(con, loaded)
        ledger = fetch(con, "SELECT status, rows_loaded FROM raw.ledger WHERE path LIKE '%/x%'")
        again = load(con, loaded)
        assert fetch(con, "SELECT status, rows_loaded FROM raw.ledger WHERE path LIKE '%/x%'") == ledger
    assert ledger == [("refused", 0)]
    assert (result.files_refused, result.rows_loaded) == (1, 3000 if good is not None else 0)
    assert [problem.path for problem in result.problems] == [f"exports/{name}"]
    message = result.problems[0].message
    assert message.startswith(f"exports/{name}: ")
    assert [text for text in messages if text not in message] == []
    assert again.problems == result.problems, "reported again until it is mended"


def test_a_refused_file_that_is_mended_is_loaded_and_reported_no_more(tmp_path):
    path = write(tmp_path, "a.csv", HEADER.replace("price", "prise") + rows(2))
    with warehouse() as con:
        assert load(con, business(tmp_path)).files_refused == 1
        path.write_text(HEADER + rows(2))
        result = load(con, business(tmp_path))
        ledger = fetch(con, "SELECT batch_id, status, superseded_by FROM raw.ledger ORDER BY batch_id")
    assert (result.files_refused, result.problems, result.rows_loaded) == (0, (), 2)
    assert ledger == [(1, "refused", 2), (2, "loaded", None)]


def test_what_a_path_held_before_stays_while_its_new_content_is_refused(tmp_path):
    path = write(tmp_path, "a.csv", HEADER + rows(2))
    with warehouse() as con:
        load(con, business(tmp_path))
        path.write_text(HEADER.replace("price", "prise") + rows(9))
        broken = load(con, business(tmp_path))
        path.write_text(HEADER + rows(4))
        mended = load(con, business(tmp_path))
        ledger = fetch(con, "SELECT status, superseded_by FROM raw.ledger ORDER BY batch_id")
    assert (broken.rows_loaded, broken.files_refused) == (2, 1)
    assert (mended.rows_loaded, mended.files_refused) == (4, 0)
    assert ledger == [("loaded", 3), ("refused", 3), ("loaded", None)]


def test_a_refused_file_that_is_moved_away_is_no_problem_any_more(tmp_path):
    path = write(tmp_path, "a.csv", "nothing\n")
    with warehouse() as con:
        assert load(con, business(tmp_path)).files_refused == 1
        path.unlink()
        assert load(con, business(tmp_path)).problems == ()


def test_a_mended_mapping_mends_the_file(tmp_path):
    write(tmp_path, "a.csv", HEADER.replace("price", "prise") + rows(2))
    with warehouse() as con:
        assert load(con, business(tmp_path)).files_refused == 1
        result = load(con, business(tmp_path, columns=COLUMNS.replace(": price", ": prise")))
    assert (result.problems, result.rows_loaded) == ((), 2)


def test_more_bad_rows_than_allowed_block_the_whole_file(tmp_path):
    write(tmp_path, "a.csv", HEADER + rows(18) + row("b1", qty="secret-cell") + row("b2", price=""))
    write(tmp_path, "b.csv", HEADER + rows(5))
    with warehouse() as con:
        result = load(con, business(tmp_path, "max_bad_share: 0.05"))
        ledger = fetch(con, "SELECT path, status, rows_read, rows_loaded, rows_quarantined FROM raw.ledger ORDER BY 1")
        assert fetch(con, "SELECT DISTINCT _batch_id FROM raw.order_lines") == [(2,)]
        assert quarantined(con) == [
            (20, "quantity", "type", "secret-cell"),
            (21, "unit_price", "required", None),
        ]
        again = load(con, business(tmp_path, "max_bad_share: 0.05"))
        assert fetch(con, "SELECT count(*) FROM raw.ledger") == [(2,)]
        allowed = load(con, business(tmp_path, "max_bad_share: 0.1"))
    assert ledger == [("exports/a.csv", "blocked", 20, 0, 2), ("exports/b.csv", "loaded", 5, 5, 0)]
    assert (result.files_blocked, result.rows_read, result.rows_loaded, result.rows_quarantined) == (1, 5, 5, 0)
    message = result.problems[0].message
    assert "2 of 20 rows (10.0%) break a rule" in message and "at most 5.0%" in message
    assert "type of quantity (1)" in message and "required of unit_price (1)" in message
    assert "secret-cell" not in message
    assert again.problems == result.problems
    assert (allowed.files_blocked, allowed.rows_loaded, allowed.rows_quarantined) == (0, 23, 2)


def test_exactly_the_allowed_share_of_bad_rows_is_loaded(tmp_path):
    write(tmp_path, "a.csv", HEADER + rows(19) + row("b1", qty="x"))
    with warehouse() as con:
        result = load(con, business(tmp_path, "max_bad_share: 0.05"))
    assert (result.files_blocked, result.rows_loaded, result.rows_quarantined) == (0, 19, 1)


def test_of_a_blocked_file_a_sample_is_kept(tmp_path):
    write(tmp_path, "a.csv", HEADER + row(qty="x") * (BLOCKED_SAMPLE + 500))
    with warehouse() as con:
        assert load(con, business(tmp_path)).files_blocked == 1
        assert len(quarantined(con)) == BLOCKED_SAMPLE


def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    write(tmp_path, "a.csv", HEADER + rows(2))
    target = tmp_path / "exports" / "b.csv"
    target.symlink_to("/proc/self/mem")
    with warehouse() as con:
        result = load(con, business(tmp_path))
    assert result.rows_loaded == 2 and result.files_seen == 1, "a link out of the folder is no file of the business"


def test_an_expression_that_does_not_fit_the_file_refuses_it_without_stopping_the_others(tmp_path):
    write(tmp_path, "a.csv", HEADER + rows(2))
    with warehouse() as con:
        result = load(con, business(tmp_path, columns=COLUMNS.replace(": text", ": {sql: \"date_part('day', qty)\"}")))
    assert result.files_refused == 1
    assert "an expression of the mapping does not fit the file" in result.problems[0].message
