"""The section `segments`: what is written is laid over the defaults, and what makes no sense is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from retention_pipeline.workspace.segment_settings import HEALTH, HealthSettings, SegmentSettings, WinbackSettings


def test_what_is_written_replaces_only_itself() -> None:
    settings = HealthSettings.model_validate({"components": {"recency": {"weight": 9}}, "green_from": 80})
    assert settings.components["recency"].weight == 9
    assert settings.components["recency"].at_full == HEALTH["recency"].at_full
    assert settings.components["tenure"] == HEALTH["tenure"]
    assert set(settings.components) == set(HEALTH)
    causes = WinbackSettings.model_validate({"causes": {"price": 0.9, "own_cause": 0.3}}).causes
    assert (causes["price"], causes["own_cause"], causes["deceased"]) == (0.9, 0.3, 0)


def test_tiers_are_what_is_written() -> None:
    settings = SegmentSettings.model_validate({"value_tiers": {"a": 0.25, "b": 0.75}})
    assert settings.value_tiers == {"a": 0.25, "b": 0.75}


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"health": {"components": {"mood": {"weight": 1, "at_zero": 0, "at_full": 1}}}}, "mood"),
        ({"health": {"components": {"tenure": {"at_full": 0}}}}, "the same"),
        ({"health": {"components": {name: {"weight": 0} for name in HEALTH}}}, "at least one"),
        ({"health": {"components": {"tenure": {"weight": -1}}}}, "greater than or equal to 0"),
        ({"health": {"amber_from": 90}}, "above green_from"),
        ({"winback": {"window": {"best_from": 200}}}, "does not hold"),
        ({"winback": {"causes": {"price": 2}}}, "less than or equal to 1"),
        ({"value_tiers": {"a": 0.5, "b": 0.4}}, "add up to 1"),
        ({"loyalty_tiers": {"gold": {"points": 5}}}, "asks for nothing"),
        ({"loyalty_tiers": {"a": {}, "b": {"points": 5, "orders": 2}, "c": {"points": 9, "orders": 1}}}, "rising"),
        ({"risk": {"low_odds": 3}}, "below high_odds"),
        ({"micro": {"fewest": 9}}, "above most"),
        ({"micro": {"excluded": ["mood"]}}, "mood"),
    ],
)
def test_what_makes_no_sense_is_refused(section: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SegmentSettings.model_validate(section)
