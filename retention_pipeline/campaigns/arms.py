"""Arms by a salted hash: the same customer is in the same arm of the same experiment on every day and in every run.

The hash is an integer between 0 and 999,999, taken from SHA-256 of the salt, what it is for, and the customer key;
nothing else enters, so an arm depends on no other customer. A share is a count of millionths: raising it only adds
customers.
"""

from __future__ import annotations

import hashlib
import json

from retention_pipeline.campaigns.economics import exact
from retention_pipeline.workspace.schema import Play

MILLION = 1_000_000
HOLDOUT = "holdout"

_HEX_DIGITS = 15
"""Digits of the hash that fit into a 64-bit integer; a million divides them evenly but for one in a trillion."""

BUCKET = (
    f"CAST('0x' || left(sha256($salt || ':' || $purpose || ':' || customer_key), {_HEX_DIGITS}) AS BIGINT) % {MILLION}"
)
"""SQL over `customer_key` with the parameters `salt` and `purpose`."""


def control_purpose(play: str) -> str:
    """What the hash of a play's arms is for."""
    return f"control:{play}"


def bucket(salt: str, purpose: str, customer_key: str) -> int:
    """The number that `BUCKET` computes."""
    digest = hashlib.sha256(f"{salt}:{purpose}:{customer_key}".encode()).hexdigest()
    return int(digest[:_HEX_DIGITS], 16) % MILLION


def millionths(share: float) -> int:
    """How many of a million buckets a share is."""
    return int(exact(share) * MILLION)


def experiment_id(name: str, play: Play) -> str:
    """The play and a digest of what decides who is treated with what: another definition is another experiment.

    The arms do not depend on it: a customer stays in their arm when a play is reworded.
    """
    definition = {
        "goal": play.goal,
        "who": play.who,
        "offers": [offer.model_dump(mode="json") for offer in play.offers],
        "channel": play.channel,
        "purpose": play.purpose,
        "send_hour": play.send_hour,
        "control_share": play.control_share,
    }
    digest = hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()
    return f"{name}-{digest[:8]}"
