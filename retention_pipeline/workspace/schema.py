"""The schema of `retention.yaml`.

Every key carries a description: `retention check` and the configuration reference print them. Unknown keys are errors,
so that a typing mistake never silently falls back to a default.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from retention_pipeline.feeds.contracts import ACTIVITY_FEEDS
from retention_pipeline.feeds.presets import expanded
from retention_pipeline.workspace.section import Days, Name, Section, Share
from retention_pipeline.workspace.segment_settings import SegmentSettings
from retention_pipeline.workspace.voice_settings import VoiceSettings

Channel = Literal["email", "sms", "phone", "push", "post", "in_app", "whatsapp"]
FeedName = Literal[
    "customers", "identities", "order_lines", "subscriptions", "invoices", "payment_attempts", "usage", "events",
    "tickets", "survey_responses", "reviews", "messages", "consents", "loyalty", "marketing_costs", "fx_rates",
    "erasure_requests", "suppressions",
]  # fmt: skip


def _as_tuple(value: object) -> object:
    """A single text where a list of texts is allowed."""
    return (value,) if isinstance(value, str) else value


class Kind(StrEnum):
    """What makes a customer of this business active."""

    TRANSACTIONAL = "transactional"
    SUBSCRIPTION = "subscription"
    HYBRID = "hybrid"


class Expression(Section):
    """A scalar SQL expression over the columns of a source row."""

    sql: str = Field(description="A scalar DuckDB expression; source columns by name, quoted where they hold spaces.")


class Delivery(Section):
    """From which day the content of a file is known."""

    pattern: str = Field(
        description=(
            "Regular expression over the file name with a named group `day` (2026-01-31 or 20260131) or `month` "
            "(2026-01, known from its last day)."
        )
    )


class FillDown(Section):
    """Cells that an export writes on the first row of a group only, such as those of an order on its first line."""

    by: str = Field(description="Source column that is the same on all rows of a group.")
    columns: tuple[str, ...] = Field(
        min_length=1, description="Source columns whose blank cells take the value of the first row of their group."
    )


class Lookup(Section):
    """Another file of the same export, joined to the rows by a key; its columns are called `<lookup>.<column>`."""

    files: str = Field(description="Glob of its files, relative to the folder of the main file.")
    on: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = Field(
        min_length=1, description="Column of the lookup that holds the key, or a list of columns."
    )
    equals: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = Field(
        min_length=1, description="Column of the row, or of an earlier lookup, with the same key; as many as `on`."
    )
    where: Expression | None = Field(None, description="Only rows of the lookup for which this holds take part.")
    newest: str | None = Field(
        None, description="Of several rows with one key the one in which this column is greatest counts, else the last."
    )
    oldest: str | None = Field(
        None, description="Of several rows with one key the one in which this column is smallest counts."
    )
    optional: bool = Field(False, description="Without a file its columns are missing values; else that is an error.")
    format: Literal["csv", "tsv", "parquet", "jsonl"] = Field("csv", description="Format of its files.")
    encoding: Literal["utf-8", "utf-16", "latin-1", "windows-1252"] = Field("utf-8", description="Text encoding.")
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = Field(",", description="Delimiter of a CSV file.")
    missing: tuple[str, ...] = Field(("",), description="Cell texts that mean a missing value.")

    @model_validator(mode="after")
    def _fits_together(self) -> Lookup:
        if len(self.on) != len(self.equals):
            raise ValueError("on and equals name different numbers of columns")
        if self.newest and self.oldest:
            raise ValueError("newest and oldest exclude each other")
        return self


class FileMapping(Section):
    """Maps one family of export files on a feed."""

    preset: str | None = Field(
        None,
        description="A vendor's export, `<vendor>.<export>`: gives all other keys; those written here replace it.",
    )
    files: str = Field(description="Glob of the files, relative to the business folder.")
    format: Literal["csv", "tsv", "parquet", "jsonl", "xlsx"] = Field(
        "csv", description="Format; compression of texts is told by .gz or .zst."
    )
    sheet: str | None = Field(None, description="Sheet of an xlsx file; the first by default.")
    source: Name | None = Field(
        None,
        description=(
            "System whose customer ids the rows hold: they become `<source>:<id>`, except for `identity.primary`. "
            "Without it the ids stand as they are."
        ),
    )
    encoding: Literal["utf-8", "utf-16", "latin-1", "windows-1252"] = Field("utf-8", description="Text encoding.")
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = Field(",", description="Delimiter of a CSV file.")
    missing: tuple[str, ...] = Field(("",), description="Cell texts that mean a missing value.")
    decimal_mark: Literal[".", ","] = Field(".", description="Decimal mark of numbers.")
    thousands_mark: Literal["", ".", ",", " ", "'"] = Field("", description="Thousands mark of numbers.")
    time_format: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = Field(
        (),
        description=(
            "strptime format of times and dates (a list where a file has several), or `epoch_seconds` or "
            "`epoch_milliseconds`; ISO 8601 where not given. A time that does not match is a bad row, never a guess."
        ),
    )
    timezone: str | None = Field(None, description="Zone of times without an offset; that of the business by default.")
    delivered: Delivery | None = Field(
        None, description="How a file's name tells its delivery day; else each row is known from its own day."
    )
    columns: dict[str, str | Expression] = Field(
        description="Canonical column → source column, or {sql: a scalar expression over the source row}."
    )
    optional: tuple[str, ...] = Field(
        (),
        description="Source columns (`column`, or `lookup.column`) that a file may lack: they are then missing values.",
    )
    skip: Expression | None = Field(
        None, description="Rows for which this holds are no rows of the feed (test mode, deleted); they are counted."
    )
    fill_down: FillDown | None = Field(None, description="Cells that are written on the first row of a group only.")
    lookups: dict[Name, Lookup] = Field({}, description="Other files of the same export, joined by a key.")
    constants: dict[str, str | int | float | bool] = Field({}, description="Canonical column → the same value always.")
    max_bad_share: Share = Field(0.05, description="More bad rows than this share of a file block the whole file.")

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, raw: object) -> object:
        return expanded(raw) if isinstance(raw, dict) else raw


class IdentitySettings(Section):
    """How the ids of different systems are joined to one customer."""

    primary: Name | None = Field(
        None, description="The `source` whose ids stand as they are and by which a joined customer is called."
    )


class Offer(Section):
    """Something that a play can propose to a customer."""

    name: Name = Field(description="Name of the offer, as it appears in the lists.")
    title: str = Field(description="What the customer gets, in a few words.")
    effect: Share = Field(
        description="Prior: the share of those who would otherwise be lost that the offer keeps or brings back."
    )
    discount_share: Share = Field(0.0, description="Share of the value at stake that is given away on redemption.")
    redemption: Share = Field(1.0, description="Share of those who stay or return that redeem the discount.")
    fixed_cost: Decimal = Field(Decimal(0), ge=0, description="Cost per contacted customer, in business currency.")


class Play(Section):
    """One campaign list: who, with what, on which channel, and within which limits."""

    title: str = Field(description="What the play is, as people call it.")
    goal: Literal["retain", "win_back"] = Field(
        "retain", description="`retain` acts on the probability of leaving, `win_back` on that of returning."
    )
    who: str = Field(description="Condition over the columns of customer_360 and the churn score.")
    reasons: dict[Name, str] = Field(
        {}, description="Reason code → condition; every code whose condition holds is written beside the customer."
    )
    offers: tuple[Offer, ...] = Field(min_length=1, description="Offers; each customer gets the most profitable one.")
    channel: Channel = Field("email", description="Channel on which the list is sent.")
    purpose: str = Field(
        "marketing",
        description=(
            "Purpose that the consent must cover; a ground of contract or legal_obligation never covers `marketing`."
        ),
    )
    contact_cost: Decimal = Field(Decimal(0), ge=0, description="Cost of one contact, in business currency.")
    return_probability: Share = Field(
        0.05, description="For `win_back`: the probability that a lost customer returns without the play."
    )
    churn_prior: Share | None = Field(
        None,
        description=(
            "For `retain`: the probability of leaving of customers without a churn score (not active yet, or no model "
            "for the day); without it they are left out."
        ),
    )
    send_hour: int = Field(10, ge=0, le=23, description="Hour of sending on the day after the as-of day, local time.")
    valid_days: Days = Field(14, description="Days after the as-of day until the offer expires.")
    cooldown_days: int = Field(30, ge=0, description="Days before the same customer is taken by the same play again.")
    max_customers: int | None = Field(None, ge=1, description="At most so many customers a day, control included.")
    budget: Decimal | None = Field(
        None, ge=0, description="At most this expected cost a day, control included, in business currency."
    )
    control_share: Share = Field(0.1, description="Share of the selected customers who are not contacted.")
    require_profit: bool = Field(True, description="Leave out customers whose best offer is not expected to pay.")
    priority: int = Field(100, ge=1, description="Plays with a lower number choose first among those who qualify.")
    personalisation: tuple[str, ...] = Field((), description="Columns of customer_360 written for the message text.")

    @model_validator(mode="after")
    def _names_offers_apart(self) -> Play:
        names = [offer.name for offer in self.offers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"offers: {', '.join(twice)} is named more than once")
        return self


class ChurnSettings(Section):
    """When a customer is lost, and what the model predicts."""

    inactivity_days: Days = Field(90, description="Days of silence after which a customer without contract is lost.")
    horizon_days: Days = Field(60, description="The model predicts churn within this many days after a day.")
    early_days: Days = Field(90, description="A churn within so many days of the first active day is early.")
    rhythm_percentile: Literal[75, 80, 85, 90, 95, 99] = Field(
        95,
        description=(
            "A customer is overdue when silent for longer than this percentile of their own intervals between "
            "purchases; published beside the fixed window of `inactivity_days`, which alone decides who is lost."
        ),
    )
    rhythm_min_intervals: int = Field(
        5, ge=2, le=100, description="Customers with fewer intervals are held against those of all customers."
    )
    term_end_is_churn: bool = Field(True, description="Whether reaching the end of a contract without renewal counts.")
    history_days: Days = Field(180, description="Days of history before the first observation date.")
    test_dates: int = Field(3, ge=1, le=24, description="Newest observable dates kept for the test of the model.")
    involuntary_reasons: tuple[str, ...] = Field(
        (
            "administrative_error",
            "business_closed",
            "deceased",
            "duplicate_account",
            "payment_failed",
            "payment_failure",
            "technical_error",
        ),
        description="Values of `cancel_reason` with which an end was not the customer's decision.",
    )
    dunning_grace_days: int = Field(
        0,
        ge=0,
        le=365,
        description=(
            "Days after access ended by failed payment within which the customer may still pay: it is a churn "
            "only after them, and who restarts within them was never lost."
        ),
    )
    excluded_features: tuple[str, ...] = Field((), description="Features that the model must not use.")
    seed: int = Field(20260101, description="Seed of everything random in training.")


class ValueSettings(Section):
    """What a customer is worth."""

    gross_margin: Share = Field(0.5, description="Share of revenue left after the cost of goods.")
    horizon_days: Days = Field(365, description="Days over which a customer's value at stake is counted.")
    fixed_value: Decimal | None = Field(
        None, ge=0, description="Value of a retained customer where revenue is not in the data, in business currency."
    )


class ContactPolicy(Section):
    """Limits that hold across all plays."""

    holdout_share: Share = Field(0.02, description="Share of all customers who never get any campaign.")
    min_days_between: int = Field(7, ge=0, description="Days between two contacts of one customer by any play.")


class EngagementSettings(Section):
    """How messages, collection and carts are read."""

    machine_open_seconds: int = Field(
        10,
        ge=0,
        le=3600,
        description=(
            "An open or a click so few seconds after the delivery, with nothing later, is a machine's (a mail program "
            "or a filter that loads every message). 0 flags none."
        ),
    )
    response_days: Days = Field(
        14, description="Opens, clicks and conversions count within so many days of the sending."
    )
    collection_days: Days = Field(
        30, description="An unpaid invoice counts as recovered within so many days of its first failed attempt."
    )
    cart_days: int = Field(
        1, ge=0, le=90, description="A cart is abandoned when so many days after its own nothing of it was bought."
    )


class WinBackSettings(Section):
    """How the return of lost customers is measured."""

    window_days: Days = Field(60, description="A return counts for the last contact within so many days before it.")
    value_days: Days = Field(
        90, description="Days before the loss and after the return over which a customer's value is compared."
    )
    campaigns: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        ("winback", "win-back", "win_back", "win back"),
        description=(
            "Parts of the names by which campaigns of other systems are known to win back. The pipeline's own plays "
            "say it by their `goal`."
        ),
    )


class ConsentGround(Section):
    """On what ground a business without a consents feed writes to people on a channel."""

    basis: Literal["consent", "contract", "legitimate_interest", "legal_obligation"] = Field(
        description="Legal basis of the contact."
    )
    note: Annotated[str, Field(min_length=10)] = Field(description="Why this basis holds, in a sentence.")

    def covers(self, purpose: str) -> bool:
        """Whether messages of `purpose` may be sent on this ground: a contract or a duty is no ground for marketing."""
        return purpose != "marketing" or self.basis in ("consent", "legitimate_interest")


class DeliveryRhythm(Section):
    """How often a feed is delivered: when nothing came for longer, it is late and not silent."""

    every_days: Days = Field(1, description="The feed is delivered at least once in so many days.")
    tolerance_days: int = Field(
        0, ge=0, le=365, description="Days that a delivery may be late before what reads it is held back."
    )


class Retention(Section):
    """A business: the whole of `retention.yaml`."""

    business: Name = Field(description="Short name; the state folder is called so.")
    title: str = Field(description="Name as people read it.")
    description: str = Field("", description="What the business is, for the report.")
    kind: Kind = Field(description="What makes a customer active: orders, subscriptions or both.")
    timezone: str = Field(description="IANA time zone in which a business day begins and ends.")
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field(description="ISO 4217 code of reports and values.")
    language: str = Field("en", description="Language of messages where a customer's own is not known, ISO 639-1.")
    week_starts_on: Literal["monday", "sunday", "saturday"] = Field("monday", description="First day of the week.")
    salt: Annotated[str, Field(min_length=16)] = Field(
        description="Secret text mixed into customer keys and arms; changing it reshuffles every experiment."
    )
    first_day: date = Field(description="First day of the business in the data: the first daily partition.")
    as_of: date | None = Field(None, description="Day shown when none is asked for; else the last complete day.")
    owners: tuple[str, ...] = Field(("team:retention",), description="Owners shown on the assets.")
    feeds: dict[FeedName, tuple[FileMapping, ...]] = Field(description="Feed → the files that deliver it.")
    delivery: dict[FeedName, DeliveryRhythm] = Field(
        {},
        description=(
            "Feed → how often it is delivered. For a day on which such a feed is overdue, what reads it is held back. "
            "Feeds that are not named here are never late."
        ),
    )
    identity: IdentitySettings = Field(IdentitySettings(), description="One customer across systems.")
    churn: ChurnSettings = Field(ChurnSettings(), description="Definition and prediction of churn.")
    value: ValueSettings = Field(ValueSettings(), description="What a customer is worth.")
    voice: VoiceSettings = Field(VoiceSettings(), description="What customers say, and what it tells of their leaving.")
    segments: SegmentSettings = Field(SegmentSettings(), description="Tiers, scores and micro-segments of customers.")
    contact: ContactPolicy = Field(ContactPolicy(), description="Limits across all plays.")
    engagement: EngagementSettings = Field(EngagementSettings(), description="Messages, collection and carts.")
    winback: WinBackSettings = Field(WinBackSettings(), description="The return of lost customers.")
    consent_basis: dict[Channel, ConsentGround] = Field(
        {}, description="Per channel, the ground for writing to people; needed where no consents feed is configured."
    )
    plays: dict[Name, Play] = Field({}, description="Campaign lists to make, by name.")

    @model_validator(mode="after")
    def _has_activity(self) -> Retention:
        if not any(feed in self.feeds for feed in ACTIVITY_FEEDS):
            raise ValueError(f"feeds: at least one of {', '.join(ACTIVITY_FEEDS)} is needed")
        return self
