"""Mapping expressions: which SQL a `retention.yaml` may put over a source row, decided before any of it is run.

DuckDB's own parser reads the text, so what is checked here is what would be executed. Only scalar expressions over the
columns of the row pass: no subquery, no aggregate, no window, no parameter, and only functions whose result depends on
their arguments alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

import duckdb
from duckdb import DuckDBPyConnection

from retention_pipeline.feeds.currencies import CURRENCIES, MINOR_DIGITS, STRIPE_MINOR_DIGITS
from retention_pipeline.quoting import literal

_EXPRESSION_CLASSES = frozenset(
    {
        "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "LAMBDA",
        "OPERATOR", "BETWEEN", "TYPE",
    }
)  # fmt: skip

_REFUSED_CLASSES = {
    "SUBQUERY": "a subquery",
    "WINDOW": "a window",
    "PARAMETER": "a parameter",
    "STAR": "`*`",
    "DEFAULT": "DEFAULT",
    "POSITIONAL_REFERENCE": "a column by position",
}

FUNCTIONS = frozenset(
    {
        "abs", "ceil", "ceiling", "floor", "round", "round_even", "trunc", "sign", "mod", "greatest", "least", "power",
        "pow", "sqrt", "ln", "log10", "log2", "exp", "divide", "fdiv", "fmod", "add", "subtract", "multiply",
        "coalesce", "nullif", "if", "ifnull", "switch", "lower", "upper", "lcase", "ucase", "trim", "ltrim", "rtrim",
        "left", "right", "substr", "substring", "length", "len", "strlen", "char_length", "character_length", "concat",
        "concat_ws", "replace", "translate", "reverse", "repeat", "lpad", "rpad", "split_part", "string_split",
        "str_split", "string_split_regex", "string_to_array", "starts_with", "ends_with", "prefix", "suffix",
        "contains", "instr", "strpos", "position", "strip_accents", "nfc_normalize", "ascii", "chr", "unicode", "ord",
        "format", "printf", "regexp_matches", "regexp_full_match", "regexp_replace", "regexp_extract",
        "regexp_extract_all", "regexp_split_to_array", "regexp_escape", "like_escape", "not_like_escape",
        "ilike_escape", "not_ilike_escape", "url_decode", "url_encode", "md5", "sha1", "sha256", "hex", "unhex",
        "to_hex", "from_hex", "base64", "to_base64", "from_base64", "encode", "decode", "levenshtein",
        "damerau_levenshtein", "jaccard", "jaro_similarity", "jaro_winkler_similarity", "hamming", "date_part",
        "datepart", "date_trunc", "datetrunc", "date_diff", "datediff", "date_sub", "datesub", "date_add", "last_day",
        "days_in_month", "year", "month", "day", "quarter", "week", "weekofyear", "yearweek", "dayofweek", "dayofmonth",
        "dayofyear", "isodow", "isoyear", "weekday", "hour", "minute", "second", "millisecond", "microsecond",
        "dayname", "monthname", "century", "decade", "epoch", "epoch_ms", "epoch_us", "epoch_ns", "make_date",
        "make_time", "make_timestamp", "make_timestamp_ms", "make_timestamptz", "to_timestamp", "strptime",
        "try_strptime", "strftime", "timezone", "time_bucket", "to_days", "to_weeks", "to_months", "to_quarters",
        "to_years", "to_hours", "to_minutes", "to_seconds", "to_milliseconds", "to_microseconds", "isfinite", "isnan",
        "isinf", "json", "json_array", "json_object", "json_quote", "to_json", "json_extract", "json_extract_string",
        "json_extract_path", "json_extract_path_text", "json_exists", "json_contains", "json_keys", "json_type",
        "json_valid", "json_value", "json_array_length", "json_merge_patch", "json_structure", "row_to_json",
        "array_to_json", "from_json", "json_transform", "list_value", "list_element", "list_extract", "array_extract",
        "list_contains", "list_has", "array_contains", "list_has_any", "list_has_all", "list_position", "list_distinct",
        "list_unique", "list_sort", "list_reverse_sort", "list_slice", "array_slice", "list_concat", "list_filter",
        "list_transform", "list_zip", "flatten", "array_length", "array_to_string", "list_sum", "list_min", "list_max",
        "list_avg", "list_first", "list_last", "list_count", "list_string_agg", "element_at", "struct_pack",
        "struct_extract", "row", "map", "map_extract", "map_extract_value", "map_keys", "map_values", "map_entries",
        "map_contains", "cardinality", "bit_count", "xor", "minor_units",
    }
)  # fmt: skip
"""Functions that an expression may call: each gives the same value for the same arguments, at any time and in any
version, and reads nothing but them. Operators are always allowed. `minor_units` comes from `define_functions`."""

_AMOUNT = "[+-]?[0-9]{1,20}([.][0-9]+)?"


def define_functions(con: DuckDBPyConnection) -> None:
    """Define what expressions may call beyond DuckDB's own functions, for this connection.

    `minor_units(amount, currency)` is the DECIMAL(38,6) amount of a number of minor units (cents): 500 is 5 EUR, 500
    JPY and 0.5 KWD, by the minor units of ISO 4217. `minor_units(amount, currency, 'stripe')` counts as Stripe does:
    ISK and UGX have two decimals there, MGA none. Codes are read in any case. What is no plain number, and a currency
    that is not known, give null.
    """
    name = "upper(trim(currency::VARCHAR))"
    number = f"CASE WHEN regexp_full_match(trim(amount::VARCHAR), '{_AMOUNT}') THEN amount END"
    con.execute(
        "CREATE OR REPLACE TEMP MACRO minor_units"
        f"(amount, currency) AS {_shifted(number, name, MINOR_DIGITS)}, "
        f"(amount, currency, convention) AS CASE convention WHEN 'stripe' "
        f"THEN {_shifted(number, name, {**MINOR_DIGITS, **STRIPE_MINOR_DIGITS})} "
        f"WHEN 'iso' THEN {_shifted(number, name, MINOR_DIGITS)} END"
    )


def _shifted(number: str, currency: str, digits: Mapping[str, int]) -> str:
    """SQL of a number of minor units in whole units; multiplied, since a division would give a float."""
    other = CURRENCIES - {code for code, places in digits.items() if places != 2}
    groups = {2: sorted(other)}
    for code, places in sorted(digits.items()):
        if places != 2:
            groups.setdefault(places, []).append(code)
    cases = " ".join(
        f"WHEN {currency} IN ({', '.join(map(literal, codes))}) "
        f"THEN try_cast({number} AS DECIMAL(24,4)) * 1e-{places}::DECIMAL({places + 1},{places})"
        for places, codes in sorted(groups.items())
    )
    return f"try_cast(CASE {cases} END AS DECIMAL(38,6))"


@dataclass(frozen=True)
class ParsedExpression:
    """What an expression is made of.

    Attributes:
        columns: The source columns that it names, as it writes them.
        problems: Why it may not be used; empty when it may.
    """

    columns: tuple[str, ...]
    problems: tuple[str, ...]


@cache
def parse_expression(sql: str) -> ParsedExpression:
    """Take an expression apart without running it."""
    with _parser().cursor() as con:
        tree = json.loads(con.execute("SELECT json_serialize_sql(?::VARCHAR)", [f"SELECT {sql}\n"]).fetchall()[0][0])
    if tree["error"]:
        return ParsedExpression((), (f"is not a SQL expression: {tree['error_message'].splitlines()[0]}",))
    problem = _shape_problem(tree["statements"])
    if problem:
        return ParsedExpression((), (problem,))
    columns: dict[str, None] = {}
    problems: dict[str, None] = {}
    _visit(tree["statements"][0]["node"]["select_list"][0], columns, problems, frozenset())
    return ParsedExpression(tuple(columns), tuple(problems))


@cache
def _parser() -> DuckDBPyConnection:
    """One connection for all expressions: opening one takes longer than what is asked of it."""
    return duckdb.connect(config={"enable_external_access": False})


def _shape_problem(statements: list[dict]) -> str:
    """Why the text is not one single expression; empty when it is."""
    if len(statements) != 1:
        return "holds more than one statement"
    node = statements[0]["node"]
    if (
        node["type"] != "SELECT_NODE"
        or node["from_table"]["type"] != "EMPTY"
        or node["cte_map"]["map"]
        or node["modifiers"]
        or any(node.get(clause) for clause in ("where_clause", "group_expressions", "having", "sample", "qualify"))
    ):
        return "is a query; only an expression over the columns of the row is allowed"
    if len(node["select_list"]) != 1:
        return "is more than one expression; split it over several columns"
    return ""


def _visit(node: dict, columns: dict[str, None], problems: dict[str, None], bound: frozenset[str]) -> None:
    kind = node.get("class")
    if kind == "COLUMN_REF":
        name = node["column_names"][0]
        if name not in bound:
            columns[name] = None
        return
    if kind not in _EXPRESSION_CLASSES:
        problems[f"holds {_REFUSED_CLASSES.get(str(kind), f'a part that is not allowed ({kind})')}"] = None
        return
    # The parser takes `a -> 'b'` (an element of a JSON value) for a lambda in a notation that is not in use any more.
    if kind == "LAMBDA" and node.get("syntax_type") != "SINGLE_ARROW":
        names = frozenset(_lambda_names(node["lhs"]))
        _visit(node["expr"], columns, problems, bound | names)
        return
    if kind == "FUNCTION":
        _check_function(node, problems)
    for child in _children(node):
        _visit(child, columns, problems, bound)


def _check_function(node: dict, problems: dict[str, None]) -> None:
    name = node["function_name"].lower()
    if node["is_operator"] or not (name[0].isalpha() or name[0] == "_"):
        return
    if node["schema"] or node["catalog"] or name not in FUNCTIONS:
        near = get_close_matches(name, FUNCTIONS, n=1)
        hint = f" (nearest: {near[0]})" if near else ""
        problems[f"calls {name}, which is not among the functions that an expression may call{hint}"] = None
    if node.get("filter") or node.get("distinct") or node["order_bys"]["orders"]:
        problems["holds an aggregate"] = None


def _lambda_names(node: dict) -> Iterator[str]:
    if node.get("class") == "COLUMN_REF":
        yield node["column_names"][-1]
    for child in _children(node):
        yield from _lambda_names(child)


def _children(value: object) -> Iterator[dict]:
    """The expressions directly below a node, however they are packed."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        if isinstance(item, dict) and "class" in item:
            yield item
        else:
            yield from _children(item)
