"""What `retention init` sees in a folder: files of any shape, families of them, and what it cannot read."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_pipeline.feeds.files import matching_files
from retention_pipeline.initialise.families import file_patterns, find_families
from retention_pipeline.initialise.scanning import Scan, scan_folder
from retention_pipeline.initialise.sniffing import Look, UnreadableError, binary_format, look_at_text
from tests.unit.export_folders import configured, init, init_and_check, orders, put


def scan(folder: Path) -> Scan:
    return scan_folder(folder, lambda _line: None)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a,b\n1,2\n", Look("csv", "ascii", ",", ("a", "b"))),
        (b"\xef\xbb\xbfa;b\n1,5;2\n", Look("csv", "utf-8", ";", ("a", "b"))),
        ("a|\u00e9\n1|2\n".encode(), Look("csv", "utf-8", "|", ("a", "\u00e9"))),
        ("a\tprix \u20ac\n1\t2\n".encode("cp1252"), Look("tsv", "windows-1252", ",", ("a", "prix \u20ac"))),
        (b"a;b\n\x81\xe9;2\n", Look("csv", "latin-1", ";", ("a", "b"))),
        ("a,b\n1,2\n".encode("utf-16"), Look("csv", "utf-16", ",", ("a", "b"))),
        ("a,b\n1,2\n".encode("utf-16-le"), Look("csv", "utf-16", ",", ("a", "b"))),
        (b'"a, or ""b""",c\n"1\n2",3\n', Look("csv", "ascii", ",", ('a, or "b"', "c"))),
        (b'name,notes\nx,"1;2;3;4"\ny,"1;2;3;4"\n', Look("csv", "ascii", ",", ("name", "notes"))),
        (b'{"a": 1, "b": {"c": 2}}\n{"d": 3}\n', Look("jsonl", "ascii", ",", ("a", "b", "b.c", "d"))),
    ],
)
def test_texts(tmp_path, content, expected):
    assert look_at_text(put(tmp_path, "x.csv", content), "x.csv") == expected
    packed = put(tmp_path, "x.csv.gz", gzip.compress(content))
    assert binary_format(packed) == "" and look_at_text(packed, "x.csv.gz") == expected


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b" \n\n", "is empty"),
        ("a.csv", b"id\n1\n2\n", "only one column"),
        ("a.csv", b"1,2\n3,4\n", "no header"),
        ("a.csv", b"a,b\n1,2\x003\n", "is no text"),
        ("a.csv", b"a,b\n" + b"1\n" * 9, "different numbers of cells"),
        ("a.json", b'{\n  "a": [\n    1\n  ]\n}\n', "JSON lines"),
        ("a.csv", gzip.compress(b"a,b\n", mtime=0), "name it so, with .gz"),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n" * 999, mtime=0)[:30], "ends too early"),
        ("a.csv.gz", b"a,b\n1,2\n", "is not what its name"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "old Excel"),
        ("a.xlsx", b"PK\x03\x04nothing", "damaged"),
        ("a.parquet", b"PAR1....", "damaged"),
        ("a.csv", b"%PDF-1.4", "is a PDF"),
        ("a.bin", b"a,b\n1,2\n", "no kind of file that is read"),
    ],
)
def test_what_cannot_be_read_is_said_and_stops_nothing(tmp_path, name, content, reason):
    put(tmp_path, name, content)
    put(tmp_path, "orders.csv", orders())
    found = scan(tmp_path)
    assert [file.where for file in found.unreadable] == [name]
    assert reason in found.unreadable[0].reason
    assert [export.where for export in found.exports] == ["orders.csv"]


def test_a_zip_archive_is_to_be_unpacked(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("a.csv", "a,b\n")
    with pytest.raises(UnreadableError, match="unpack"):
        binary_format(tmp_path / "all.zip")


def test_only_finished_files_within_the_folder_are_looked_at(tmp_path):
    outside = put(tmp_path, "outside/orders_secret.csv", orders())
    folder = tmp_path / "mine"
    for name in ("orders.csv", "deep/er/orders.csv", "x.csv.part", "y.csv.tmp", ".hidden.csv", ".git/z.csv", "~$w.xlsx",
                 "retention.yaml", "NOTES.md", "LICENSE"):  # fmt: skip
        put(folder, name, orders())
    (folder / "link.csv").symlink_to(outside)
    (folder / "linked").symlink_to(outside.parent)
    found = scan(folder)
    assert [export.where for export in found.exports] == ["deep/er/orders.csv", "orders.csv"]
    assert found.unreadable == ()


def test_files_that_differ_only_in_digits_are_one_family(tmp_path):
    for month in (1, 2, 3):
        put(tmp_path, f"exports/2024/orders-2024-{month:02}.csv", orders(month=month))
    put(tmp_path, "exports/2024/orders-all.csv", "other,columns\n1,2\n")
    families = find_families(scan(tmp_path))
    assert [family.patterns for family in families] == [
        ("exports/2024/orders-2024-*.csv",),
        ("exports/*/orders-all.csv",),
    ]


@pytest.mark.parametrize(
    ("files", "others", "expected"),
    [
        (["a_2024-01.csv", "a_2024-02.csv"], [], ["a_2024-*.csv"]),
        (["a_2023-12.csv", "a_2024-01.csv"], ["a_notes.csv"], ["a_*-*.csv"]),
        (["a_2023-12.csv", "a_2024-01.csv"], ["a_b-c.csv"], ["a_[0-9][0-9][0-9][0-9]-[0-9][0-9].csv"]),
        (["a_1.csv", "a_2.csv"], ["a_3.csv"], ["a_1.csv", "a_2.csv"]),
        (["a_20240131.csv"], [], ["a_*.csv"]),
        (["a_2024-01-31_v1.csv"], [], ["a_*_v1.csv"]),
        (["a_17.csv"], [], ["a_17.csv"]),
        (["2023/a.csv", "2024/a.csv"], ["b/a.csv"], ["[0-9][0-9][0-9][0-9]/a.csv"]),
        (["a[1].csv"], [], ["a[[]1].csv"]),
        (["a*_2024.csv"], ["ab_2024.csv"], ["a[*]_*.csv"]),
    ],
)
def test_patterns_catch_their_files_and_no_others(files, others, expected):
    assert list(file_patterns(files, [*files, *others])) == expected


NAMES = st.lists(
    st.from_regex(r"[ab](/[ab])?_?[0-9]{0,3}[-_]?[0-9]{1,2}[*?\[]?\.csv", fullmatch=True),
    min_size=1,
    max_size=8,
    unique=True,
)


@given(NAMES, st.data())
def test_patterns_are_exact_for_any_names(tmp_path_factory, names, data):
    folder = tmp_path_factory.mktemp("names")
    for name in names:
        put(folder, name, "")
    files = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    caught = {
        path.relative_to(folder).as_posix()
        for pattern in file_patterns(files, names)
        for path in matching_files(folder, pattern)
    }
    assert caught == set(files)


def test_a_damaged_file_of_a_series_leaves_the_others_alone(tmp_path):
    for month in (1, 2, 3):
        put(tmp_path, f"orders_{month}.csv.gz", gzip.compress(orders(month=month).encode()))
    put(tmp_path, "orders_2.csv.gz", gzip.compress(orders(999, 2).encode())[:500])
    config = init_and_check(tmp_path)
    assert [mapping["files"] for mapping in config["feeds"]["order_lines"]] == ["orders_1.csv.gz", "orders_3.csv.gz"]
    assert "#   orders_2.csv.gz: the archive ends too early" in (tmp_path / "retention.yaml").read_text()


def test_a_file_with_bad_rows_is_left_out_with_the_rule_and_without_its_cells(tmp_path):
    for month in (1, 2, 3, 4, 5, 6):
        put(tmp_path, f"orders_{month}.csv", orders(100, month))
    put(tmp_path, "orders_4.csv", orders(20).replace("2024-01", "hidden-4711"))
    init(tmp_path)
    text = (tmp_path / "retention.yaml").read_text()
    assert "20 of 20 rows (100.0%) break a rule: type of ordered_at (20)" in text.replace("\n    # ", " ")
    assert "hidden-" not in text
    files = [mapping["files"] for mapping in configured(tmp_path)["feeds"]["order_lines"]]
    assert files == [f"orders_{month}.csv" for month in (1, 2, 3, 5, 6)]


def test_files_in_plain_ascii_go_with_those_in_another_encoding(tmp_path):
    put(tmp_path, "orders_1.csv", orders(month=1))
    put(tmp_path, "orders_2.csv", orders(month=2).replace("o2-1,", "o2-\u00e9,").encode("cp1252"))
    (mapping,) = init_and_check(tmp_path)["feeds"]["order_lines"]
    assert (mapping["files"], mapping["encoding"]) == ("orders_*.csv", "windows-1252")
