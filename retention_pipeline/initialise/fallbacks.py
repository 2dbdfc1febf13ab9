"""What a guess takes from elsewhere where a required column has none of its own: said in a comment, never silent."""

from __future__ import annotations

from collections.abc import Callable

from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.initialise.synonyms import file_language, matches, normalised, value_words
from retention_pipeline.initialise.tables import Guess, Table, text_sql, unmapped_text_columns
from retention_pipeline.initialise.values import looks_like_address

_MOST_PARTS = 3
EMAIL_SOURCE = "email"
"""The `source` of ids that are the hash of an e-mail address, as in the presets."""


def complete(guess: Guess, table: Table) -> None:
    """Fill what is lacking, where the export leaves no doubt or little, and name the texts that mean "missing"."""
    _address_as_id(guess, table)
    rule = _RULES.get(guess.feed)
    if rule is not None:
        rule(guess, table)
    used = set(guess.sources.values())
    missing = sorted({text for name in used for text in table.profiles[name].missing})
    if missing:
        guess.options["missing"] = ["", *missing]


def _address_as_id(guess: Guess, table: Table) -> None:
    """Where an export knows people by their e-mail address only, its hash is their id: no address stands in an id."""
    columns = {column.name for column in CONTRACTS[guess.feed].columns}
    if "customer_id" not in columns or "customer_id" in guess.columns or guess.feed == "suppressions":
        return
    for name, cells in table.profiles.items():
        if matches("customers", "email", name) and looks_like_address(cells):
            guess.columns["customer_id"] = {"sql": f"sha256(lower(trim({text_sql(name, table)})))"}
            guess.sources["customer_id"] = name
            guess.options = {"source": EMAIL_SOURCE, **guess.options}
            guess.notes["customer_id"] = f"guess: people are known by {name!r} only, so that its hash is their id"
            return


def _order_lines(guess: Guess, table: Table) -> None:
    total, quantity = guess.sources.get("line_total"), guess.sources.get("quantity")
    if "unit_price" in guess.columns or total is None:
        guess.sources.pop("line_total", None)
    elif quantity is not None and not guess.options.get("thousands_mark"):
        amount, units = _number_sql(guess, table, total, 4), _number_sql(guess, table, quantity, 3)
        guess.columns["unit_price"] = {"sql": f"{amount} / nullif({units}, 0)"}
        guess.notes["unit_price"] = f"guess: the total {total!r} by the quantity, since no price was found"
    else:
        guess.columns["unit_price"] = total
        guess.columns.pop("quantity", None)
        guess.sources.pop("quantity", None)
        guess.notes["unit_price"] = f"guess: {total!r} is the total, so that each line counts as one unit"
    if "unit_price" in guess.columns and not guess.is_mapped("quantity"):
        guess.constants["quantity"] = 1
        guess.notes["quantity"] = "no column holds a quantity: every line counts as one unit"


def _number_sql(guess: Guess, table: Table, source: str, digits: int) -> str:
    text = text_sql(source, table)
    if guess.options.get("decimal_mark") == ",":
        text = f"replace({text}, ',', '.')"
    return f"try_cast({text} AS DECIMAL(18,{digits}))"


def _subscriptions(guess: Guess, table: Table) -> None:
    for name, other in (("version_at", "started_at"), ("started_at", "version_at")):
        if name not in guess.columns and other in guess.columns:
            guess.columns[name] = guess.columns[other]
            guess.notes[name] = f"guess: no column of its own was found, so that of {other}"
    _subscription_ids(guess, table)
    named = file_language("subscriptions", table.family.exports[0].where) is not None
    if named and not guess.is_mapped("plan") and "started_at" in guess.columns:
        guess.constants["plan"] = "standard"
        guess.notes["plan"] = "no column holds a plan"
    if not guess.is_mapped("price") and "started_at" in guess.columns and (named or "subscription_id" in guess.sources):
        guess.constants["price"] = 0
        guess.notes["price"] = "no column holds a price: set value.fixed_value below"
    _subscription_ends(guess, table)


def _subscription_ids(guess: Guess, table: Table) -> None:
    source = guess.sources.get("customer_id")
    if "subscription_id" in guess.columns or source is None or "started_at" not in guess.columns:
        return
    if table.profiles[source].is_unique:
        guess.columns["subscription_id"] = guess.columns["customer_id"]
        guess.notes["subscription_id"] = "guess: every customer is there once, so that their id serves"


def _subscription_ends(guess: Guess, table: Table) -> None:
    """When access ended: by the end where it is filled for some only, else the earlier of cancellation and end."""
    if "ended_at" in guess.columns:
        return
    cancelled, end = guess.sources.get("cancel_requested_at"), guess.sources.get("contract_ends_at")
    if end is not None and table.profiles[end].fill_share < 0.9:
        guess.columns["ended_at"] = guess.columns.pop("contract_ends_at")
        guess.notes["ended_at"] = f"guess: {end!r} is filled for some only, so that it says when access ended"
    elif end is not None and cancelled is not None:
        first, last = text_sql(cancelled, table), text_sql(end, table)
        # The texts of ISO days are in the order of the days.
        is_iso = "time_format" not in guess.options
        sql = f"least(coalesce({first}, {last}), {last})" if is_iso else f"coalesce({first}, {last})"
        guess.columns["ended_at"] = {"sql": sql}
        guess.notes["ended_at"] = f"guess: {cancelled!r}, or else {end!r}; check it against your terms of notice"
    elif end is not None:
        guess.columns["ended_at"] = guess.columns["contract_ends_at"]
        guess.notes["ended_at"] = f"guess: access ends with {end!r}, unless a later row says otherwise"
    elif cancelled is not None:
        guess.columns["ended_at"] = guess.columns["cancel_requested_at"]
        guess.notes["ended_at"] = (
            "guess: access ends with the cancellation; map the end of the paid term if you have it"
        )


def _usage(guess: Guess, table: Table) -> None:
    """A feature, where one customer has several rows a day: otherwise each would replace the one before."""
    customer, day = guess.sources.get("customer_id"), guess.sources.get("used_on")
    if customer is None or day is None or "feature" in guess.columns or not table.has_repeats((customer, day)):
        return
    parts = list(unmapped_text_columns(guess, table))[:_MOST_PARTS]
    if parts:
        texts = [f"coalesce({text_sql(name, table)}, '')" for name in parts]
        guess.columns["feature"] = {"sql": " || '-' || ".join(texts)} if len(texts) > 1 else parts[0]
        guess.notes["feature"] = "guess: tells apart the several rows of one customer and day"


def _survey_responses(guess: Guess, table: Table) -> None:
    if not guess.is_mapped("survey"):
        names = [normalised(table.family.exports[0].where.rsplit("/", 1)[-1]), *map(normalised, guess.sources.values())]
        words = value_words("survey")
        found = {words[token] for name in names for token in name.split("_") if token in words}
        if len(found) == 1:
            guess.constants["survey"] = found.pop()
            guess.notes["survey"] = "guess: by the names of the file and its columns"
    if "response_id" not in guess.columns and {"customer_id", "answered_at"} <= set(guess.sources):
        both = [text_sql(guess.sources[name], table) for name in ("customer_id", "answered_at")]
        guess.columns["response_id"] = {"sql": " || '-' || ".join(both)}
        guess.notes["response_id"] = "guess: no id was found, so that customer and time serve"


def _messages(guess: Guess, table: Table) -> None:
    where = normalised(table.family.exports[0].where.rsplit("/", 1)[-1])
    if not guess.is_mapped("channel"):
        _channel(guess, where, "email" if "event" in guess.columns else None)
    if "message_id" not in guess.columns and {"customer_id", "campaign", "event"} <= set(guess.sources):
        both = [text_sql(guess.sources[name], table) for name in ("customer_id", "campaign")]
        guess.columns["message_id"] = {"sql": " || '-' || ".join(both)}
        guess.notes["message_id"] = "guess: no id was found, so that customer and campaign serve"


def _consents(guess: Guess, table: Table) -> None:
    where = normalised(table.family.exports[0].where.rsplit("/", 1)[-1])
    if not guess.is_mapped("channel"):
        _channel(guess, where, None)
    if not guess.is_mapped("purpose") and any(word in where for word in ("marketing", "newsletter")):
        guess.constants["purpose"] = "marketing"
        guess.notes["purpose"] = "guess: by the name of the file"


def _suppressions(guess: Guess, table: Table) -> None:
    if not guess.is_mapped("channel"):
        where = normalised(table.family.exports[0].where.rsplit("/", 1)[-1])
        _channel(guess, where, "email" if "email" in guess.columns and "phone" not in guess.columns else None)


def _channel(guess: Guess, where: str, otherwise: str | None) -> None:
    words = value_words("channel")
    found = {words[token] for token in where.split("_") if token in words}
    channel = found.pop() if len(found) == 1 else otherwise
    if channel is not None:
        guess.constants["channel"] = channel
        guess.notes["channel"] = "guess: no column holds a channel"


_RULES: dict[str, Callable[[Guess, Table], None]] = {
    "order_lines": _order_lines,
    "subscriptions": _subscriptions,
    "usage": _usage,
    "survey_responses": _survey_responses,
    "messages": _messages,
    "consents": _consents,
    "suppressions": _suppressions,
}
