"""The suites of the scores and of the campaign lists: what must hold before somebody is contacted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from retention_pipeline.campaigns.tables import TABLES
from retention_pipeline.quality.column_types import types_are
from retention_pipeline.quality.declaring import (
    BATCH,
    ColumnsAre,
    Expectation,
    Kind,
    NoRows,
    OneOf,
    Required,
    Severity,
    Suite,
    TableSuite,
    UniqueBy,
    Within,
)
from retention_pipeline.quoting import literal
from retention_pipeline.workspace.schema import Play

RISK_BANDS = ("low", "medium", "high")
ARMS = ("treatment", "control")
_BASE_RATE_FACTOR = 3
_FEW_CUSTOMERS = 50
_ROW = ("play", "customer_key")
_NOT_NULL = " NOT NULL"


def scores_suite(day: date) -> Suite:
    """The suite of the scores of `day`. Where no model could be trained there is no score, and nothing to miss."""
    from retention_pipeline.churn.scoring import TABLES as OF_SCORES

    columns = {name: kind for name, (kind, _) in OF_SCORES["churn_scores"].items()}
    scores = TableSuite(
        table="decisions.churn_scores",
        keys=("customer_key",),
        expectations=(
            *_declared(columns, required=columns),
            Expectation(Kind.RATES, Within("churn_probability", 0, 1)),
            Expectation(Kind.ALLOWED, OneOf("risk_band", RISK_BANDS)),
            Expectation(Kind.GRAIN, UniqueBy(("as_of", "customer_key"))),
            Expectation(Kind.DAY, _of_another_day(day, "customer_key")),
            Expectation(Kind.COVERAGE, _uncovered(day)),
            Expectation(Kind.RANKS, _misranked()),
            Expectation(Kind.BASE_RATE, _far_from_base_rate(), Severity.WARN),
        ),
    )
    return Suite(name="scores", title="Churn scores", tables=(scores,))


def lists_suite(day: date, plays: Mapping[str, Play]) -> Suite:
    """The suite of the lists of `day`, for the plays that the business configures."""
    return Suite(
        name="lists",
        title="Campaign lists",
        tables=(_targets(day, plays), _exclusions(day, plays), _summary(day, plays)),
    )


def _targets(day: date, plays: Mapping[str, Play]) -> TableSuite:
    expectations = [
        *_of_campaigns("campaign_targets", plays),
        Expectation(Kind.ALLOWED, OneOf("arm", ARMS)),
        Expectation(Kind.RATES, Within("churn_probability", 0, 1)),
        Expectation(Kind.RATES, Within("expected_uplift", 0, 1)),
        Expectation(Kind.RANGE, Within("cost", 0)),
        Expectation(Kind.GRAIN, UniqueBy(("as_of", *_ROW))),
        Expectation(Kind.DAY, _of_another_day(day, "play, customer_key")),
        Expectation(
            Kind.ONE_PLAY, NoRows(f"SELECT customer_key FROM {BATCH} GROUP BY customer_key HAVING count(*) > 1")
        ),
        Expectation(
            Kind.ONE_SIDE,
            NoRows(
                f"SELECT play, customer_key FROM {BATCH} WHERE (play, customer_key) IN"
                " (SELECT (play, customer_key) FROM decisions.campaign_exclusions)"
            ),
        ),
        Expectation(
            Kind.EXPIRY, NoRows(f"SELECT play, customer_key FROM {BATCH} WHERE expires_on <= as_of", "expires_on")
        ),
    ]
    paying = ", ".join(literal(name) for name in sorted(plays) if plays[name].require_profit)
    if paying:
        losing = f"SELECT play, customer_key FROM {BATCH} WHERE play IN ({paying}) AND NOT expected_profit >= 0"
        expectations.append(Expectation(Kind.PROFIT, NoRows(losing, "expected_profit")))
    return TableSuite("decisions.campaign_targets", _ROW, tuple(expectations))


def _exclusions(day: date, plays: Mapping[str, Play]) -> TableSuite:
    return TableSuite(
        "decisions.campaign_exclusions",
        _ROW,
        (
            *_of_campaigns("campaign_exclusions", plays),
            Expectation(Kind.GRAIN, UniqueBy(("as_of", *_ROW))),
            Expectation(Kind.DAY, _of_another_day(day, "play, customer_key")),
        ),
    )


def _summary(day: date, plays: Mapping[str, Play]) -> TableSuite:
    return TableSuite(
        "decisions.campaign_summary",
        ("play",),
        (
            *_of_campaigns("campaign_summary", plays),
            *(Expectation(Kind.RANGE, Within(name, 0)) for name in ("eligible", "treatment", "control", "excluded")),
            Expectation(Kind.GRAIN, UniqueBy(("as_of", "play"))),
            Expectation(Kind.DAY, _of_another_day(day, "play")),
            Expectation(Kind.ACCOUNTED, _unaccounted(tuple(sorted(plays)))),
        ),
    )


def _of_campaigns(table: str, plays: Mapping[str, Play]) -> Iterator[Expectation]:
    kinds = {name: kind for name, (kind, _) in TABLES[table].items()}
    yield from _declared(
        {name: kind.removesuffix(_NOT_NULL) for name, kind in kinds.items()},
        required=[name for name, kind in kinds.items() if kind.endswith(_NOT_NULL)],
    )
    if plays:
        yield Expectation(Kind.ALLOWED, OneOf("play", tuple(sorted(plays))))


def _declared(types: Mapping[str, str], required: Iterable[str]) -> Iterator[Expectation]:
    yield Expectation(Kind.COLUMNS, ColumnsAre(tuple(types)))
    yield Expectation(Kind.COLUMNS, types_are(types))
    for name in required:
        yield Expectation(Kind.REQUIRED, Required(name))


def _of_another_day(day: date, keys: str) -> NoRows:
    return NoRows(f"SELECT {keys} FROM {BATCH} WHERE as_of <> DATE '{day.isoformat()}'", column="as_of")


def _uncovered(day: date) -> NoRows:
    active = (
        f"SELECT customer_key FROM marts.customer_features WHERE as_of = DATE '{day.isoformat()}'"
        " AND NOT coalesce(has_given_notice, false)"
    )
    scored = f"SELECT customer_key FROM {BATCH}"
    return NoRows(
        f"SELECT customer_key FROM (({active} EXCEPT {scored}) UNION ALL ({scored} EXCEPT {active})) AS uncovered"
        " WHERE EXISTS (FROM decisions.churn_model)"
    )


def _misranked() -> NoRows:
    return NoRows(
        "SELECT customer_key FROM (SELECT customer_key, risk_rank, row_number() OVER (ORDER BY risk_rank) AS place,"
        " churn_probability, lag(churn_probability) OVER (ORDER BY risk_rank) AS above"
        f" FROM {BATCH}) AS ranked WHERE risk_rank <> place OR churn_probability > above",
        column="risk_rank",
    )


def _far_from_base_rate() -> NoRows:
    return NoRows(
        "SELECT 'all customers' AS scores FROM (SELECT avg(churn_probability) AS mean, count(*) AS customers"
        f" FROM {BATCH}) AS found WHERE customers >= {_FEW_CUSTOMERS} AND mean NOT BETWEEN"
        f" (SELECT min(base_rate) / {_BASE_RATE_FACTOR} FROM decisions.churn_model)"
        f" AND (SELECT max(base_rate) * {_BASE_RATE_FACTOR} FROM decisions.churn_model)",
        column="churn_probability",
    )


def _unaccounted(plays: tuple[str, ...]) -> NoRows:
    def count(table: str, condition: str) -> str:
        return f"(SELECT count(*) FROM decisions.{table} AS t WHERE t.play = s.play{condition})"

    configured = ", ".join(f"({literal(play)})" for play in plays)
    missing = (
        f" UNION ALL SELECT play FROM (VALUES {configured}) AS configured(play)"
        f" WHERE play NOT IN (SELECT play FROM {BATCH})"
        if plays
        else ""
    )
    return NoRows(
        f"SELECT play FROM (SELECT * FROM {BATCH}) AS s WHERE eligible <> treatment + control + excluded"
        f" OR treatment <> {count('campaign_targets', f' AND arm = {literal(ARMS[0])}')}"
        f" OR control <> {count('campaign_targets', f' AND arm = {literal(ARMS[1])}')}"
        f" OR excluded <> {count('campaign_exclusions', '')}{missing}"
    )
