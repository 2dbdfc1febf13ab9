"""Messages and what becomes of them: newsletters that change nothing, and the messages of campaign lists."""

from __future__ import annotations

import numpy as np

from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.arrivals import export_consents
from retention_pipeline.simulator.state import Array
from retention_pipeline.simulator.world import World, where

NEWSLETTER_DAY = 6
EMAIL = words.CHANNELS.index("email")
_EVENT = {name: code for code, name in enumerate(words.MESSAGE_EVENTS)}
_BOUNCES, _CLICKS, _COMPLAINTS = 0.012, 0.22, 0.0004
_SUPPRESSED = ("bounced", "complained", "unsubscribed")


def send_newsletter(world: World) -> None:
    """Once a month, to all who agreed and still can be reached."""
    today = world.calendar.date_of(world.day)
    if not world.knobs.campaigns.newsletter or today.day != NEWSLETTER_DAY:
        return
    who = where(world.column("email_ok") & ~world.column("email_bad") & ~world.column("erased"))
    send(world, who, f"newsletter_{today:%Y-%m}", "", np.full(len(who), EMAIL, dtype=np.int8), "newsletter")


def send(world: World, customers: Array, campaign: str, list_id: str, channels: Array, purpose: str) -> Array:
    """Send a message to customers today; returns who opened it (True for each, in their order)."""
    state, knobs = world.state, world.knobs.campaigns
    count = len(customers)
    if not count:
        return np.zeros(0, dtype=np.bool_)
    messages = state.take("message", count)
    by_email = channels == EMAIL
    bounced = by_email & (world.uniform(f"{purpose} bounces")[customers] < _BOUNCES)
    reached = ~bounced
    mood = world.uniform(f"{purpose} opens")[customers]
    opened = reached & (mood < knobs.open_share * (0.4 + 1.2 * state["engagement"][customers]))
    clicked = opened & (mood < knobs.open_share * _CLICKS * (0.4 + 1.2 * state["engagement"][customers]))
    leaving = (state["intent"][customers] >= 0) | (state["requested_on"][customers] >= 0)
    annoyed = world.uniform(f"{purpose} annoys")[customers]
    limit = knobs.unsubscribe_share * np.where(leaving, world.knobs.signals.unsubscribe_factor, 1.0)
    unsubscribed = reached & by_email & (annoyed < limit)
    complained = reached & by_email & (annoyed > 1 - _COMPLAINTS)
    outcomes = (
        ("sent", np.ones(count, dtype=np.bool_)), ("delivered", reached), ("opened", opened), ("clicked", clicked),
        ("bounced", bounced), ("unsubscribed", unsubscribed), ("complained", complained),
    )  # fmt: skip
    for number, (event, mask) in enumerate(outcomes):
        who = customers[mask]
        world.exports.add(
            "messages",
            message=messages[mask],
            customer=who,
            campaign=np.full(len(who), campaign),
            list_id=np.full(len(who), list_id),
            channel=channels[mask],
            event=np.full(len(who), _EVENT[event], dtype=np.int8),
            # A message is sent in the morning; what becomes of it follows.
            at=world.moment(customers[mask], salt=50) // 86_400 * 86_400 + 8 * 3600 + number * 1200 + who % 1100,
        )
    world.tell(
        "messages",
        customer=customers,
        day=np.full(count, world.day),
        campaign=np.full(count, campaign),
        list_id=np.full(count, list_id),
        channel=np.array(words.CHANNELS)[channels],
        **{event: mask for event, mask in outcomes if event != "sent"},
    )
    for event, mask in (("bounced", bounced), ("complained", complained), ("unsubscribed", unsubscribed)):
        _suppress(world, customers[mask], event)
    return opened


def _suppress(world: World, customers: Array, reason: str) -> None:
    """Who must not get e-mails any more; most who unsubscribe also take their consent back."""
    state = world.state
    if reason == "bounced":
        state["email_bad"][customers] = True
    else:
        state["email_ok"][customers] = False
        says_so = customers[customers % 5 > 0] if reason == "unsubscribed" else customers
        export_consents(world, says_so, EMAIL, 0, granted=False)
    world.exports.add(
        "suppressions",
        customer=customers,
        channel=np.full(len(customers), EMAIL, dtype=np.int8),
        reason=np.full(len(customers), _SUPPRESSED.index(reason), dtype=np.int8),
        at=world.moment(customers, salt=60),
    )


def agree_again(world: World) -> None:
    """A few who had not agreed to e-mails do later."""
    who = where(world.happens("agree again", 0.03) & ~world.column("email_ok") & ~world.column("erased"))
    world.state["email_ok"][who] = True
    export_consents(world, who, EMAIL, 0, granted=True)
