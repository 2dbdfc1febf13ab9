"""Who may be written to on a channel for a purpose, as SQL over the pool of customers."""

from __future__ import annotations

from dataclasses import dataclass

from retention_pipeline.quoting import literal
from retention_pipeline.workspace.schema import Play, Retention

ADDRESS_COLUMN = {"email": "email", "sms": "phone", "phone": "phone", "whatsapp": "phone"}
"""Channel → the column of the customers feed that holds the contact address; other channels need none."""


@dataclass(frozen=True)
class Permission:
    """Whether customers may be written to.

    Args:
        sql: Condition over `pool.customer_id`.
        note: Why nobody may be written to, where that is so.
    """

    sql: str
    note: str = ""


def permission(play: Play, config: Retention) -> Permission:
    """On what ground the customers of a play may be written to.

    A consents feed decides for each customer: without a grant for the channel and purpose there is no message, whatever
    ground is configured. Without that feed the ground that the business states for the channel holds for all.
    """
    if "consents" in config.feeds:
        return Permission(
            "EXISTS (SELECT 1 FROM intermediate.int_consents AS consent WHERE consent.customer_id = pool.customer_id"
            f" AND consent.channel = {literal(play.channel)} AND consent.purpose = {literal(play.purpose)}"
            " AND consent.status = 'granted')"
        )
    ground = config.consent_basis.get(play.channel)
    if ground is None:
        return Permission(
            "false",
            note=f"no ground for writing on {play.channel}: no consents feed and no consent_basis.{play.channel}",
        )
    if not ground.covers(play.purpose):
        return Permission("false", note=f"the ground {ground.basis} for {play.channel} does not cover {play.purpose}")
    return Permission("true")


def refusals(play: Play) -> str:
    """SQL: `customer_id` and `reason` of who must not be written to on the channel; an erasure request goes first."""
    return (
        "SELECT customer_id, CASE WHEN bool_or(reason = 'erasure_requested') THEN 'erasure_requested'"
        " ELSE 'suppressed' END AS reason FROM intermediate.int_suppressions"
        f" WHERE channel IS NULL OR channel = {literal(play.channel)} GROUP BY customer_id"
    )


def lacks_address(play: Play, config: Retention) -> str:
    """SQL condition: the customer has no address on the channel, though the customers feed has addresses.

    Where it has none at all, the sending system knows them by customer id.
    """
    column = ADDRESS_COLUMN.get(play.channel)
    if column is None or not any(column in mapping.columns for mapping in config.feeds.get("customers", ())):
        return "false"
    return (
        "NOT EXISTS (SELECT 1 FROM intermediate.int_customer_records AS record"
        f" WHERE record.customer_id = pool.customer_id AND record.{column} <> '')"
    )
