"""The conditions of a play: read, checked and rebuilt from their syntax tree.

A condition is a boolean expression over one customer. It is parsed, every node of the tree must be one of those below,
and the SQL that runs is generated from the tree: the text of `retention.yaml` itself never reaches the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

import sqlglot
from sqlglot import exp

from retention_pipeline.campaigns.columns import CUSTOMER_360, CUSTOMER_COLUMNS, SCORE_COLUMNS
from retention_pipeline.workspace.schema import Play

DIALECT = "duckdb"
LONGEST = 4000
"""Characters; a longer condition is a mistake, and a deep tree would exhaust the stack."""

FUNCTIONS: Mapping[type[exp.Expr], str] = {
    exp.Abs: "abs",
    exp.Ceil: "ceil",
    exp.Coalesce: "coalesce",
    exp.Contains: "contains",
    exp.Floor: "floor",
    exp.Greatest: "greatest",
    exp.Least: "least",
    exp.Length: "length",
    exp.Lower: "lower",
    exp.Nullif: "nullif",
    exp.Round: "round",
    exp.StartsWith: "starts_with",
    exp.Upper: "upper",
}
"""Functions that a condition may call."""

_COMPARISONS = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.Between, exp.In, exp.Like, exp.ILike,
    exp.NullSafeEQ, exp.NullSafeNEQ, exp.Contains, exp.StartsWith,
)  # fmt: skip
_ALLOWED = (
    *_COMPARISONS, *FUNCTIONS, exp.And, exp.Or, exp.Not, exp.Paren, exp.Column, exp.Identifier, exp.Literal,
    exp.Boolean, exp.Null, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.Case, exp.If, exp.Cast,
    exp.DataType,
)  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """A checked condition.

    Args:
        sql: The expression, rebuilt, with quoted identifiers.
        uses_score: Whether it asks for the churn score.
        if_scored: Whether the customer could meet the condition if the score were known: the same expression with
            every comparison of a score taken to speak for the customer.
    """

    sql: str
    uses_score: bool
    if_scored: str


def check_condition(text: str, columns: Mapping[str, str] = CUSTOMER_COLUMNS) -> list[str]:
    """What is wrong with a condition, in words; empty when it can be used.

    Args:
        text: The condition as written.
        columns: Column → DuckDB type.
    """
    tree, problems = _read(text, columns)
    return problems if tree is None or problems else list(_type_problems(_sql(tree), tuple(columns.items())))


def parse_condition(text: str, columns: Mapping[str, str] = CUSTOMER_COLUMNS) -> Condition:
    """Read a condition.

    Args:
        text: The condition as written.
        columns: Column → DuckDB type.

    Raises:
        ValueError: `check_condition` finds something wrong with it.
    """
    tree, problems = _read(text, columns)
    problems = problems or check_condition(text, columns)
    if tree is None or problems:
        raise ValueError("; ".join(problems))
    return Condition(
        sql=_sql(tree),
        uses_score=any(column.name in SCORE_COLUMNS for column in tree.find_all(exp.Column)),
        if_scored=_sql(_if_scored(tree)),
    )


def check_play(play: Play) -> list[tuple[str, str]]:
    """What is wrong with the conditions and columns of a play: the key below the play, and the problem."""
    found = [("who", problem) for problem in check_condition(play.who)]
    for code, text in play.reasons.items():
        found += [(f"reasons.{code}", problem) for problem in check_condition(text)]
    found += [
        ("personalisation", _unknown(name, CUSTOMER_360)) for name in play.personalisation if name not in CUSTOMER_360
    ]
    return found


def _read(text: str, columns: Mapping[str, str]) -> tuple[exp.Expr | None, list[str]]:
    """The tree with lower-case columns, and what is wrong with it."""
    if len(text) > LONGEST:
        return None, [f"longer than {LONGEST} characters"]
    try:
        tree = sqlglot.parse_one(text, dialect=DIALECT, into=exp.Condition)
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        return None, [f"no condition: {_syntax(error)}"]
    problems: list[str] = []
    for node in tree.walk():
        if isinstance(node, exp.Column):
            node.set("this", exp.to_identifier(node.name.lower(), quoted=True))
        problem = _problem(node, columns)
        if problem and problem not in problems:
            problems.append(problem)
    return tree, problems


def _syntax(error: Exception) -> str:
    """Where the parser stopped, without its dump of the text."""
    if isinstance(error, sqlglot.errors.ParseError):
        for found in error.errors:
            if found.get("col") and found.get("highlight"):
                first = int(found["col"]) - len(str(found["highlight"])) + 1
                return f"it cannot be read from character {first} on, near {found['highlight']!r}"
    return "it is not one expression that is true or false"


def _problem(node: exp.Expr, columns: Mapping[str, str]) -> str | None:
    if isinstance(node, exp.Column):
        if node.table:
            return f"{node.sql(dialect=DIALECT)!r}: columns are written without a table"
        return None if node.name in columns else _unknown(node.name, columns, quoted=bool(node.args["this"].quoted))
    if isinstance(node, exp.Select | exp.Subquery | exp.Exists | exp.Values | exp.SetOperation | exp.Any | exp.All):
        return "a subquery is not allowed"
    if isinstance(node, exp.Cast):
        is_day = type(node) is exp.Cast and node.to.is_type(exp.DType.DATE) and isinstance(node.this, exp.Literal)
        return None if is_day else "a cast is not allowed; a day is written DATE '2026-01-31'"
    if type(node) in _ALLOWED:
        return None
    if isinstance(node, exp.Func):
        name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
        near = get_close_matches(name.lower(), FUNCTIONS.values(), n=1)
        return f"function {name.lower()!r} is not allowed" + (f"; nearest: {near[0]!r}" if near else "")
    return f"{node.sql(dialect=DIALECT)[:40]!r} is not allowed in a condition"


def _unknown(name: str, columns: Mapping[str, str], *, quoted: bool = False) -> str:
    near = get_close_matches(name.lower(), columns, n=1, cutoff=0.5)
    hint = f"; nearest: {near[0]!r}" if near else ""
    return f"unknown column {name!r}{hint}" + ("; text stands in single quotes" if quoted and not near else "")


def _sql(tree: exp.Expr) -> str:
    def mended(node: exp.Expr) -> exp.Expr:
        # A share of nothing is missing, not infinite.
        if isinstance(node, exp.Div):
            node.set("expression", exp.Nullif(this=exp.paren(node.expression), expression=exp.Literal.number(0)))
        return node

    return tree.copy().transform(mended).sql(dialect=DIALECT, identify=True, comments=False)


def _if_scored(tree: exp.Expr) -> exp.Expr:
    """The tree with every comparison that asks for the score replaced by what speaks for the customer."""
    assumed = exp.paren(tree.copy())
    for node in list(assumed.walk(prune=_asks_for_score)):
        if _asks_for_score(node):
            node.replace(exp.Boolean(this=_negations(node) % 2 == 0))
    return assumed


def _asks_for_score(node: exp.Expr) -> bool:
    return isinstance(node, _COMPARISONS) and any(c.name in SCORE_COLUMNS for c in node.find_all(exp.Column))


def _negations(node: exp.Expr) -> int:
    """How many times what the node says is turned round on the way up."""
    count, parent = 0, node.parent
    while parent is not None:
        count += isinstance(parent, exp.Not)
        parent = parent.parent
    return count


@lru_cache(maxsize=512)
def _type_problems(sql: str, columns: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """What the database says of the rebuilt expression."""
    import duckdb

    declared = ", ".join(f'"{name}" {kind}' for name, kind in columns)
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE customer ({declared})")
        con.execute("INSERT INTO customer DEFAULT VALUES")
        try:
            # Computed for a customer of whom nothing is known: finds text where a number belongs as well.
            con.execute(f"SELECT {sql} FROM customer").fetchall()
            kind = con.execute(f"SELECT typeof({sql}) FROM customer").fetchall()[0][0]
        except duckdb.Error as error:
            return (str(error).splitlines()[0].split(": ", 1)[-1],)
    return () if kind == "BOOLEAN" else (f"gives {kind} and not true or false",)
