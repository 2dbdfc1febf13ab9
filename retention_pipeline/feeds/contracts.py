"""Every feed's contract, declared once.

The reader, the quarantine rules, the expectation suites, the dbt sources and staging models, and the documentation are
derived from these declarations. A contract says what a canonical row is; how a business's own file maps on it is said
in its `retention.yaml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """The type of a canonical column; the value is its DuckDB type in `raw`."""

    TEXT = "VARCHAR"
    INTEGER = "BIGINT"
    NUMBER = "DOUBLE"
    MONEY = "DECIMAL(18,4)"
    QUANTITY = "DECIMAL(18,3)"
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    TIMESTAMP = "TIMESTAMP"
    JSON = "JSON"


class Dated(StrEnum):
    """What a date says about when its own value is known."""

    HAPPENED = "happened"
    """It records something that took place: unknown before that day, so masked after the as-of day."""
    PLANNED = "planned"
    """It announces something: known as soon as the row is, also when it lies in the future."""


@dataclass(frozen=True)
class Column:
    """One column of a feed.

    Attributes:
        name: The canonical name.
        type: Its type in `raw`.
        description: What it holds, with its unit.
        required: A row without it goes to quarantine.
        key: Part of the row's natural key.
        values: The allowed values, where the contract closes them.
        minimum, maximum: Inclusive bounds of a number.
        dated: For dates and timestamps, whether the value is known before it happens.
        known_with: The dated column with which this undated one becomes known (a reason with its request).
        personal: Identifies a person or is free text: never in logs, metadata, serving or test output.
        currency: An ISO 4217 code, checked against the known ones.
        identity: Where it is given it alone tells the row, in a feed without a key; copies of it are one row.
    """

    name: str
    type: Type
    description: str
    required: bool = False
    key: bool = False
    values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    dated: Dated | None = None
    known_with: str | None = None
    personal: bool = False
    currency: bool = False
    identity: bool = False


@dataclass(frozen=True)
class Contract:
    """A feed: one canonical table.

    Attributes:
        name: Its name everywhere: `raw.<name>`, `stg_<name>`, asset key `raw/<name>`, suite `<name>`.
        grain: What one row is.
        description: What the feed is for.
        time: The column that dates a row; None for a feed of undated rows.
        columns: In the order in which `raw` holds them.
        one_of: Columns of which a row needs at least one: it goes to quarantine without any.
        shows_delivery: Staging says from which day a row is known, as `known_on`: undated rows are put in order by it.
    """

    name: str
    grain: str
    description: str
    time: str | None
    columns: tuple[Column, ...]
    one_of: tuple[str, ...] = ()
    shows_delivery: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The natural key; empty where a row is known only by all its values."""
        return tuple(c.name for c in self.columns if c.key)

    @property
    def required(self) -> tuple[str, ...]:
        """The columns without which a row is no row."""
        return tuple(c.name for c in self.columns if c.required)

    def column(self, name: str) -> Column:
        """The column called `name`; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


CHANNELS = ("email", "sms", "phone", "push", "post", "in_app", "whatsapp")


def _id(name: str, description: str, *, required: bool = True, key: bool = False) -> Column:
    return Column(name, Type.TEXT, description, required=required, key=key)


def _customer(*, required: bool = True, key: bool = False) -> Column:
    return _id("customer_id", "The customer, as the exporting system knows them.", required=required, key=key)


def _text(name: str, description: str, *, personal: bool = False, known_with: str | None = None) -> Column:
    return Column(name, Type.TEXT, description, personal=personal, known_with=known_with)


def _choice(name: str, description: str, values: tuple[str, ...], *, required: bool = False) -> Column:
    return Column(name, Type.TEXT, description, required=required, values=values)


def _happened(name: str, description: str, *, required: bool = False, key: bool = False) -> Column:
    return Column(name, Type.TIMESTAMP, description, required=required, key=key, dated=Dated.HAPPENED)


def _planned(name: str, description: str, *, required: bool = False) -> Column:
    return Column(name, Type.TIMESTAMP, description, required=required, dated=Dated.PLANNED)


def _money(name: str, description: str, *, required: bool = False, minimum: float | None = None) -> Column:
    return Column(name, Type.MONEY, description, required=required, minimum=minimum)


def _currency() -> Column:
    return Column("currency", Type.TEXT, "ISO 4217 code of the row's amounts.", currency=True)


_CUSTOMERS = Contract(
    "customers",
    grain="a customer as last exported",
    description="Who the customers are. Where it is missing they are derived from the ids in the other feeds.",
    time="created_at",
    columns=(
        _customer(key=True),
        _happened("created_at", "When the customer record was made; where no export says it, first seen anywhere."),
        _text("country", "Country, as exported."),
        _text("region", "Region within the country."),
        _text("language", "Preferred language, ISO 639-1."),
        Column("birth_year", Type.INTEGER, "Year of birth.", minimum=1900, maximum=2100),
        _text("gender", "Gender, as exported."),
        _text("acquisition_channel", "How the customer was won."),
        _text("company_size", "Size band of the customer's company."),
        _text("industry", "Industry of the customer's company."),
        _text("preferred_channel", "The channel on which the customer wants to be contacted."),
        _text("email", "E-mail address.", personal=True),
        _text("phone", "Telephone number.", personal=True),
        _text("referred_by", "The customer who recommended this one."),
        Column("is_test", Type.BOOLEAN, "An account of the business itself, left out of every figure and list."),
        Column("attributes", Type.JSON, "Whatever else the export holds, as a JSON object.", personal=True),
    ),
    shows_delivery=True,
)

_IDENTITIES = Contract(
    "identities",
    grain="a link between ids of one customer",
    description="Joins the ids under which different systems know one customer.",
    time="linked_at",
    columns=(
        _customer(),
        Column("source", Type.TEXT, "The system that uses the other id.", required=True),
        _id("source_id", "The id in that system."),
        _happened("linked_at", "When the link was made; where no export says it, the day of the delivery."),
        _id("merged_into", "The customer into whom this one was merged.", required=False),
    ),
    shows_delivery=True,
)

_ORDER_LINES = Contract(
    "order_lines",
    grain="a line of an order",
    description="What was bought, returned, charged or corrected, line by line.",
    time="ordered_at",
    columns=(
        _id("order_id", "The order or invoice to which the line belongs."),
        _customer(required=False),
        _happened("ordered_at", "When the order was placed (UTC).", required=True),
        _text("sku", "Stock-keeping unit."),
        _text("description", "Product description."),
        _text("category", "Product category."),
        Column("quantity", Type.QUANTITY, "Units; negative on returns and cancellations.", required=True),
        _money("unit_price", "Price of one unit in the line's currency, without tax.", required=True),
        _money("discount", "Discount on the whole line in the line's currency.", minimum=0),
        _money("tax", "Tax on the whole line in the line's currency."),
        _money("unit_cost", "Cost of one unit to the business in the line's currency.", minimum=0),
        _currency(),
        _choice("kind", "What the line is.", ("purchase", "return", "cancellation", "fee", "adjustment")),
    ),
)

_SUBSCRIPTIONS = Contract(
    "subscriptions",
    grain="a version of a subscription; a change of plan, price or quantity makes a new one",
    description="Contracts and their changes.",
    time="version_at",
    columns=(
        _id("subscription_id", "The subscription.", key=True),
        _happened("version_at", "From when this version holds (UTC).", required=True, key=True),
        _customer(),
        Column("plan", Type.TEXT, "The plan.", required=True),
        _money("price", "Price of one unit for one interval, before discount, without tax.", required=True, minimum=0),
        _currency(),
        Column("quantity", Type.QUANTITY, "Units or seats; 1 where not given.", minimum=0),
        _choice("interval", "Unit of the billing interval.", ("day", "week", "month", "year")),
        Column("interval_count", Type.INTEGER, "Length of the billing interval in units; 1 if not given.", minimum=1),
        _planned("started_at", "When access begins (UTC); may lie after the sale.", required=True),
        _planned("trial_ends_at", "When the trial ends."),
        _planned("current_period_ends_at", "End of the period that is paid."),
        _happened("paused_at", "When the subscription was paused."),
        _planned("resumes_at", "When the pause is to end."),
        _happened("cancel_requested_at", "When the customer asked to cancel."),
        _text("cancel_reason", "The reason given.", known_with="cancel_requested_at"),
        _happened("ended_at", "When access ended."),
        _planned("contract_ends_at", "End of the committed term."),
        _money("discount", "Discount for one interval, in the row's currency.", minimum=0),
        _planned("discount_ends_at", "When the discount ends."),
    ),
)

_INVOICES = Contract(
    "invoices",
    grain="an invoice as last exported",
    description="What was billed for subscriptions, and whether it was paid.",
    time="issued_at",
    columns=(
        _id("invoice_id", "The invoice.", key=True),
        _customer(),
        _id("subscription_id", "The subscription that is billed.", required=False),
        _happened("issued_at", "When it was issued (UTC).", required=True),
        _planned("due_at", "When it is due."),
        _money("amount_due", "Amount to pay, in the invoice's currency.", required=True),
        Column("amount_paid", Type.MONEY, "Amount paid so far, in the invoice's currency.", known_with="paid_at"),
        _currency(),
        _text("status", "State of the invoice, as exported.", known_with="paid_at"),
        _happened("paid_at", "When it was paid in full."),
    ),
)

_PAYMENT_ATTEMPTS = Contract(
    "payment_attempts",
    grain="a try to collect",
    description="Each try to collect money, with its outcome.",
    time="attempted_at",
    columns=(
        _id("attempt_id", "The attempt.", key=True),
        _id("invoice_id", "The invoice to collect.", required=False),
        _customer(),
        _happened("attempted_at", "When it was tried (UTC).", required=True),
        _money("amount", "Amount tried, in the row's currency.", required=True),
        _currency(),
        _choice("outcome", "What came of it.", ("succeeded", "failed"), required=True),
        _text("failure_code", "The processor's code for a failure."),
        _text("method", "Means of payment."),
        Column("card_expires_on", Type.DATE, "Last day on which the card is valid.", dated=Dated.PLANNED),
    ),
)

_USAGE = Contract(
    "usage",
    grain="a customer's use of a feature in a day; a later delivery of a key replaces it",
    description="Daily use of the product.",
    time="used_on",
    columns=(
        _customer(key=True),
        Column("used_on", Type.DATE, "The business day of use.", required=True, key=True, dated=Dated.HAPPENED),
        Column("feature", Type.TEXT, "The feature used; empty where use is not told apart.", key=True),
        Column("events", Type.INTEGER, "Events counted in that day.", required=True, minimum=0),
        Column("minutes", Type.NUMBER, "Minutes of use in that day.", minimum=0),
    ),
)

_EVENTS = Contract(
    "events",
    grain="one event",
    description="Single product or web events: login, help_viewed, cancel_viewed, cart_added, milestone_reached ...",
    time="occurred_at",
    columns=(
        Column("event_id", Type.TEXT, "The event, where the source gives it an id.", identity=True),
        _customer(),
        _happened("occurred_at", "When it occurred (UTC).", required=True),
        Column("name", Type.TEXT, "What occurred.", required=True),
        Column("properties", Type.JSON, "Details, as a JSON object.", personal=True),
    ),
)

_TICKETS = Contract(
    "tickets",
    grain="a ticket as last exported",
    description="Questions, incidents and complaints.",
    time="opened_at",
    columns=(
        _id("ticket_id", "The ticket.", key=True),
        _customer(),
        _happened("opened_at", "When it was opened (UTC).", required=True),
        _happened("first_response_at", "When it was first answered."),
        _happened("solved_at", "When it was solved."),
        Column("reopened_count", Type.INTEGER, "How often it was opened again.", minimum=0, known_with="solved_at"),
        _text("channel", "Where it came in."),
        _text("kind", "question, incident, complaint, billing or what the source says."),
        _text("priority", "Priority, as exported."),
        _text("satisfaction", "The customer's rating of the help, as exported.", known_with="solved_at"),
        _text("subject", "Subject line.", personal=True),
        _text("body", "What the customer wrote.", personal=True),
    ),
)

_SURVEY_RESPONSES = Contract(
    "survey_responses",
    grain="an answer",
    description="Answers to NPS, CSAT, CES and exit surveys.",
    time="answered_at",
    columns=(
        _id("response_id", "The answer.", key=True),
        _customer(),
        _choice("survey", "Which survey.", ("nps", "csat", "ces", "exit"), required=True),
        _happened("asked_at", "When it was asked (UTC)."),
        _happened("answered_at", "When it was answered (UTC).", required=True),
        Column("score", Type.NUMBER, "The score given, on the survey's own scale.", minimum=0, maximum=10),
        _text("reason", "The reason chosen."),
        _text("comment", "What the customer wrote.", personal=True),
    ),
)

_REVIEWS = Contract(
    "reviews",
    grain="a public review or post",
    description="Reviews and posts about the business.",
    time="posted_at",
    columns=(
        _id("review_id", "The review.", key=True),
        _customer(required=False),
        _happened("posted_at", "When it was posted (UTC).", required=True),
        _text("source", "Where it was posted."),
        Column("rating", Type.NUMBER, "Stars given.", minimum=0, maximum=10),
        _text("text", "What was written.", personal=True),
    ),
)

_MESSAGES = Contract(
    "messages",
    grain="an event of a message sent to a customer",
    description="What became of each message that was sent.",
    time="occurred_at",
    columns=(
        _id("message_id", "The message."),
        _customer(),
        _text("campaign", "The campaign that sent it."),
        _id("list_id", "The campaign list from which it was sent.", required=False),
        _choice("channel", "The channel.", CHANNELS, required=True),
        _choice(
            "event",
            "What happened to it.",
            ("sent", "delivered", "opened", "clicked", "bounced", "unsubscribed", "complained", "converted"),
            required=True,
        ),
        _happened("occurred_at", "When that happened (UTC).", required=True),
    ),
)

_CONSENTS = Contract(
    "consents",
    grain="a change of consent",
    description="Permission to contact, by channel and purpose.",
    time="changed_at",
    columns=(
        _customer(),
        _choice("channel", "The channel.", CHANNELS, required=True),
        Column("purpose", Type.TEXT, "What the consent is for, such as marketing.", required=True),
        _choice("status", "Given or taken back.", ("granted", "withdrawn"), required=True),
        _happened("changed_at", "When it changed (UTC).", required=True),
        _text("source", "Where the customer said so."),
    ),
)

_SUPPRESSIONS = Contract(
    "suppressions",
    grain="an entry of a destination's suppression list",
    description="Who must not be contacted, as the sending systems keep it; they may know people by address only.",
    time="suppressed_at",
    columns=(
        _customer(required=False),
        _text("email", "E-mail address that must not be written to.", personal=True),
        _text("phone", "Telephone number that must not be called.", personal=True),
        _choice("channel", "The channel on which the customer must not be contacted.", CHANNELS, required=True),
        _text("reason", "unsubscribed, bounced, complained, blocked by hand, or what the source says."),
        _happened("suppressed_at", "When it was entered."),
    ),
    one_of=("customer_id", "email", "phone"),
    shows_delivery=True,
)

_LOYALTY = Contract(
    "loyalty",
    grain="a movement of points",
    description="Points earned, used and expired.",
    time="occurred_at",
    columns=(
        _id("entry_id", "The movement.", key=True),
        _customer(),
        _happened("occurred_at", "When it was booked (UTC).", required=True),
        Column("points", Type.INTEGER, "Points; negative when used or expired.", required=True),
        _text("reason", "Why they were booked."),
        Column("expires_on", Type.DATE, "Last day on which they can be used.", dated=Dated.PLANNED),
    ),
)

_MARKETING_COSTS = Contract(
    "marketing_costs",
    grain="a cost",
    description="What campaigns cost.",
    time="day",
    columns=(
        Column("campaign", Type.TEXT, "The campaign.", required=True),
        Column("day", Type.DATE, "The day of the cost.", required=True, dated=Dated.HAPPENED),
        _money("amount", "The cost, in the row's currency.", required=True),
        _currency(),
    ),
)

_FX_RATES = Contract(
    "fx_rates",
    grain="a currency's rate on a day",
    description="What one unit of a currency is worth in the business's own.",
    time="day",
    columns=(
        Column("day", Type.DATE, "The day for which the rate holds.", required=True, key=True, dated=Dated.HAPPENED),
        Column("currency", Type.TEXT, "ISO 4217 code.", required=True, key=True, currency=True),
        Column("rate_to_business", Type.NUMBER, "Units of business currency for one.", required=True, minimum=0),
    ),
)

_ERASURE_REQUESTS = Contract(
    "erasure_requests",
    grain="a request",
    description="Customers who asked for their data to be erased.",
    time="requested_at",
    columns=(_customer(), _happened("requested_at", "When it was asked (UTC).", required=True)),
)

CONTRACTS: dict[str, Contract] = {
    contract.name: contract
    for contract in (
        _CUSTOMERS,
        _IDENTITIES,
        _ORDER_LINES,
        _SUBSCRIPTIONS,
        _INVOICES,
        _PAYMENT_ATTEMPTS,
        _USAGE,
        _EVENTS,
        _TICKETS,
        _SURVEY_RESPONSES,
        _REVIEWS,
        _MESSAGES,
        _CONSENTS,
        _SUPPRESSIONS,
        _LOYALTY,
        _MARKETING_COSTS,
        _FX_RATES,
        _ERASURE_REQUESTS,
    )
}
"""All feeds by name, in the order in which documentation lists them."""

ACTIVITY_FEEDS = ("order_lines", "subscriptions", "usage", "events")
"""At least one of these must be configured: without any, nothing says whether a customer is active."""
