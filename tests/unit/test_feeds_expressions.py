"""Which SQL a mapping may hold, decided before any of it runs."""

import pytest

from retention_pipeline.feeds.expressions import FUNCTIONS, define_functions, parse_expression
from tests.unit.small_exports import fetch, warehouse


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("upper(name)", ("name",)),
        ("\"Customer ID\" || '-' || b", ("Customer ID", "b")),
        ("CASE WHEN a LIKE 'C%' AND b IN ('x', 'y') THEN 'one' ELSE coalesce(c, d) END", ("a", "b", "c", "d")),
        ("try_cast(a AS DECIMAL(18,4)) * 2 BETWEEN 1 AND 3", ("a",)),
        ("regexp_replace(a, '[.]0$', '') -- why\n", ("a",)),
        ("list_transform(string_split(a, ';'), lambda x: trim(x) || b)[1]", ("a", "b")),
        ("json_object('a', a, 'b', b)", ("a", "b")),
        ("a IS NULL OR NOT b", ("a", "b")),
        ("a -> 'b' ->> 'c'", ("a",)),
        ("(a -> b) ->> 'c'", ("a", "b")),
        ("minor_units(a, upper(b))", ("a", "b")),
        ("a::DATE + INTERVAL 1 DAY", ("a",)),
        ("extract(year FROM a::DATE)", ("a",)),
        ("a[1:3]", ("a",)),
        ("1", ()),
    ],
)
def test_scalar_expressions_pass_and_name_their_columns(sql, columns):
    parsed = parse_expression(sql)
    assert parsed.problems == ()
    assert parsed.columns == columns


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("(SELECT 1)", "a subquery"),
        ("EXISTS (SELECT 1)", "a subquery"),
        ("a IN (SELECT b FROM raw.customers)", "a subquery"),
        ("a FROM raw.customers", "is a query"),
        ("a WHERE true", "is a query"),
        ("DISTINCT a", "is a query"),
        ("a UNION SELECT 1", "is a query"),
        ("a, b", "more than one expression"),
        ("1; DROP TABLE raw.customers", "is not a SQL expression"),
        ("1; SELECT 2", "more than one statement"),
        ("1) FROM (SELECT 1", "is not a SQL expression"),
        ("", "is not a SQL expression"),
        ("a +", "is not a SQL expression"),
        ("sum(a)", "calls sum"),
        ("sum(a) OVER ()", "a window"),
        ("row_number() OVER ()", "a window"),
        ("*", "`*`"),
        ("COLUMNS('a.*')", "`*`"),
        ("$1", "a parameter"),
        ("?", "a parameter"),
        ("#1", "a column by position"),
        ("read_text('secret')", "calls read_text"),
        ("getenv('HOME')", "calls getenv"),
        ("current_setting('x')", "calls current_setting"),
        ("now()", "calls now"),
        ("random()", "calls random"),
        ("uuid()", "calls uuid"),
        ("query('SELECT 1')", "calls query"),
        ("upper(read_text('secret'))", "calls read_text"),
        ("CASE WHEN true THEN getenv('HOME') END", "calls getenv"),
        ("list_transform([a], lambda x: getenv(x))", "calls getenv"),
        ("main.upper(a)", "calls upper"),
        ("a -> getenv('x')", "calls getenv"),
        ("uper(a)", "nearest: upper"),
        ("a::getenv", None),
    ],
)
def test_anything_else_is_refused_in_words(sql, problem):
    parsed = parse_expression(sql)
    if problem is not None:
        assert problem in "; ".join(parsed.problems)
    else:
        assert parsed.columns == ("a",)


def test_clocks_are_columns_that_no_file_has():
    for sql in ("current_date", "current_timestamp", "localtime"):
        parsed = parse_expression(sql)
        assert parsed.problems or parsed.columns == (sql,)


def test_every_function_that_is_allowed_exists_and_depends_on_its_arguments_alone():
    with warehouse() as con:
        define_functions(con)
        known = dict(
            fetch(
                con,
                "SELECT function_name, max(CASE stability WHEN 'CONSISTENT' THEN 0 ELSE 1 END) FROM duckdb_functions() "
                "WHERE function_type IN ('scalar') GROUP BY 1",
            )
        )
        macros = {
            name for (name,) in fetch(con, "SELECT function_name FROM duckdb_functions() WHERE function_type = 'macro'")
        }
    syntax = {"coalesce", "ifnull"}
    assert {name for name in FUNCTIONS if name not in known and name not in macros} <= syntax
    assert {name for name in FUNCTIONS if known.get(name)} == set()
