"""One play on one day, in sets: who qualifies, what pays best, who is left out and why, who is in which arm.

Works on temporary tables: `campaign_pool` (a customer a row, with score and holdout) and `campaign_history` (decisions
of earlier days) come in, `campaign_selected` and `campaign_left_out` grow play by play.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from duckdb import DuckDBPyConnection

from retention_pipeline.campaigns.arms import BUCKET, HOLDOUT, control_purpose, experiment_id, millionths
from retention_pipeline.campaigns.conditions import Condition, parse_condition
from retention_pipeline.campaigns.economics import best_offers, loss_probability, value_at_stake
from retention_pipeline.campaigns.permission import Permission, lacks_address, permission, refusals
from retention_pipeline.campaigns.tables import column_definitions
from retention_pipeline.quoting import identifier, literal
from retention_pipeline.workspace.schema import Play, Retention

REASONS = (
    "erasure_requested",
    "suppressed",
    "no_consent",
    "no_address",
    "holdout",
    "no_score",
    "cool_down",
    "recent_contact",
    "other_play",
    "no_value",
    "not_profitable",
    "over_max_customers",
    "over_budget",
)
"""Why a customer who qualifies is on no list, in the order in which it is asked; the first that holds is kept."""


def fill_pool(con: DuckDBPyConnection, config: Retention, day: date) -> None:
    """Every customer of the day with score and holdout in `campaign_pool`; nobody is selected or left out yet."""
    others = con.execute("SELECT DISTINCT as_of FROM marts.customer_360 WHERE as_of <> ?", [day]).fetchall()
    if others:
        raise ValueError(f"customer_360 shows {others[0][0]} and not {day}")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE campaign_pool AS"
        " SELECT customer.*, score.churn_probability, score.risk_band, score.risk_rank, person.customer_id"
        f" FROM (SELECT *, {BUCKET} < $share AS in_holdout FROM marts.customer_360 WHERE as_of = $day) AS customer"
        " JOIN intermediate.int_customers AS person ON person.customer_key = customer.customer_key"
        " LEFT JOIN decisions.churn_scores AS score"
        " ON score.as_of = customer.as_of AND score.customer_key = customer.customer_key",
        {"salt": config.salt, "purpose": HOLDOUT, "share": millionths(config.contact.holdout_share), "day": day},
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE campaign_selected ({column_definitions('campaign_targets')})")
    con.execute(f"CREATE OR REPLACE TEMP TABLE campaign_left_out ({column_definitions('campaign_exclusions')})")


def select_customers(con: DuckDBPyConnection, config: Retention, name: str, play: Play, day: date) -> Permission:
    """Select and leave out the customers of one play; plays that chose before have their customers already.

    Returns:
        On what ground its customers may be written to.
    """
    ground = permission(play, config)
    _judge(con, config, name, play, day, ground)
    _apply_limits(con, play)
    con.execute(
        "INSERT INTO campaign_left_out SELECT $day, $play, customer_key, reason FROM campaign_ranked"
        " WHERE reason IS NOT NULL",
        {"day": day, "play": name},
    )
    _take(con, config, name, play, day)
    return ground


def _judge(con: DuckDBPyConnection, config: Retention, name: str, play: Play, day: date, ground: Permission) -> None:
    """Who qualifies, with the offer that pays best and the first reason that speaks against, in `campaign_judged`."""
    who = parse_condition(play.who)
    unprofitable = "WHEN value IS NULL THEN 'no_value' WHEN profit <= 0 THEN 'not_profitable'"
    con.execute(
        "CREATE OR REPLACE TEMP TABLE campaign_judged AS WITH"
        f" qualified AS (SELECT *, ({who.sql}) IS NULL AS lacks_score FROM campaign_pool"
        f" WHERE ({who.sql}) OR {_would_qualify(who)}),"
        " valued AS (SELECT customer_key, customer_id, churn_probability, in_holdout, lacks_score,"
        f" {loss_probability(play)} AS p, {value_at_stake(play, config.value)} AS value FROM qualified),"
        f" pool AS ({best_offers(play, 'valued')}),"
        f" refusal AS ({refusals(play)}),"
        " earlier AS (SELECT customer_key, max(day) AS any_play, max(day) FILTER (play = $play) AS this_play"
        " FROM campaign_history GROUP BY customer_key)"
        " SELECT pool.*, CASE"
        " WHEN refusal.reason IS NOT NULL THEN refusal.reason"
        f" WHEN NOT {ground.sql} THEN 'no_consent'"
        f" WHEN {lacks_address(play, config)} THEN 'no_address'"
        " WHEN in_holdout THEN 'holdout'"
        " WHEN lacks_score OR p IS NULL THEN 'no_score'"
        " WHEN earlier.this_play > $cooled THEN 'cool_down'"
        " WHEN earlier.any_play > $rested THEN 'recent_contact'"
        " WHEN EXISTS (SELECT 1 FROM campaign_selected AS taken WHERE taken.customer_key = pool.customer_key)"
        " THEN 'other_play'"
        f" {unprofitable if play.require_profit else ''} END AS reason"
        " FROM pool LEFT JOIN refusal ON refusal.customer_id = pool.customer_id"
        " LEFT JOIN earlier ON earlier.customer_key = pool.customer_key",
        {
            "play": name,
            "cooled": day - timedelta(days=play.cooldown_days),
            "rested": day - timedelta(days=config.contact.min_days_between),
        },
    )


def _would_qualify(who: Condition) -> str:
    """SQL: the customer should have been scored, was not, and might qualify with a score."""
    if not who.uses_score:
        return "false"
    return (
        "(churn_probability IS NULL AND is_active AND NOT has_given_notice"
        f" AND ({who.sql}) IS NULL AND ({who.if_scored}))"
    )


def _apply_limits(con: DuckDBPyConnection, play: Play) -> None:
    """Rank those against whom nothing speaks and leave out who is over a limit, in `campaign_ranked`.

    Both arms count towards the limits: who is selected must not depend on the arm, or the arms could not be compared.
    The budget ends at the first customer who does not fit.
    """
    most = "false" if play.max_customers is None else f"place_in_play > {play.max_customers}"
    budget = "false" if play.budget is None else f"spent > {play.budget:f}"
    con.execute(
        "CREATE OR REPLACE TEMP TABLE campaign_ranked AS"
        " WITH ranked AS (SELECT *, row_number() OVER by_profit AS place_in_play, sum(cost) OVER by_profit AS spent"
        " FROM campaign_judged WHERE reason IS NULL WINDOW by_profit AS"
        " (ORDER BY profit DESC, churn_probability DESC NULLS LAST, customer_key ROWS UNBOUNDED PRECEDING))"
        " SELECT * EXCLUDE (reason, spent), CASE"
        f" WHEN {most} THEN 'over_max_customers' WHEN {budget} THEN 'over_budget' END AS reason FROM ranked"
        " UNION ALL BY NAME SELECT *, NULL AS place_in_play FROM campaign_judged WHERE reason IS NOT NULL"
    )


def _take(con: DuckDBPyConnection, config: Retention, name: str, play: Play, day: date) -> None:
    """Give the selected customers their arm and what their message needs, in `campaign_selected`."""
    offers = " ".join(f"WHEN {place} THEN {literal(offer.name)}" for place, offer in enumerate(play.offers, start=1))
    reasons = "".join(
        f", CASE WHEN {parse_condition(play.reasons[code]).sql} THEN {literal(code)} END"
        for code in sorted(play.reasons)
    )
    fields = ", ".join(f"{literal(column)}, {identifier(column)}" for column in play.personalisation)
    con.execute(
        "INSERT INTO campaign_selected BY NAME"
        " WITH met AS (SELECT *, concat_ws('|', NULL" + reasons + f") AS codes, json_object({fields}) AS fields,"
        f" {BUCKET} < $share AS is_control FROM campaign_pool),"
        " known AS (SELECT customer_key, min_by(arm, day) AS arm FROM campaign_history WHERE play = $play"
        " GROUP BY customer_key)"
        " SELECT met.as_of, $play AS play, met.customer_key,"
        f" CASE chosen.place {offers} END AS offer, $channel AS channel,"
        " coalesce(met.language, $language) AS language, $send_at AS send_at, $expires_on AS expires_on,"
        " met.codes AS reason_codes, met.churn_probability, chosen.value AS value_at_stake,"
        " CAST(chosen.uplift AS DOUBLE) AS expected_uplift, chosen.profit AS expected_profit, chosen.cost,"
        " CAST(chosen.place_in_play AS INTEGER) AS priority_rank,"
        # Who was once in an arm stays there, also when the share of the control changes.
        " coalesce(known.arm, CASE WHEN met.is_control THEN 'control' ELSE 'treatment' END) AS arm,"
        " $experiment_id AS experiment_id, CAST(met.fields AS VARCHAR) AS personalisation"
        " FROM campaign_ranked AS chosen JOIN met ON met.customer_key = chosen.customer_key"
        " LEFT JOIN known ON known.customer_key = chosen.customer_key WHERE chosen.reason IS NULL",
        {
            "salt": config.salt,
            "purpose": control_purpose(name),
            "share": millionths(play.control_share),
            "play": name,
            "channel": play.channel,
            "language": config.language,
            "send_at": datetime.combine(day + timedelta(days=1), time(play.send_hour)),
            "expires_on": day + timedelta(days=play.valid_days),
            "experiment_id": experiment_id(name, play),
        },
    )
