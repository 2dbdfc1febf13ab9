"""Names and descriptions of segments."""

from __future__ import annotations

from retention_pipeline.segments.personas import stability_band
from retention_pipeline.segments.wording import Trait, described, language_of, named, shown


def test_a_name_says_what_sets_apart_most() -> None:
    differences = {"orders": 1.2, "basket": 0.8, "silence": -0.5, "tenure": 0.1}
    assert named(differences, (), "en") == "frequent buyers, big baskets"
    assert named(differences, (), "fr") == "achats fréquents, gros paniers"
    assert named({"orders": -1.0, "basket": -1.5, "use": -0.5}, (), "en") == "rare buyers, light use"
    assert named({"orders": 0.1}, (), "en") == "like most"
    assert named({}, (), "fr") == "tous les clients"


def test_no_two_segments_have_one_name() -> None:
    differences = {"orders": 1.2, "basket": 0.8, "silence": -0.5}
    first = named(differences, (), "en")
    second = named(differences, {first}, "en")
    third = named(differences, {first, second}, "en")
    assert [second, third] == [f"{first}, seen lately", f"{first}, seen lately (2)"]


def test_a_description_compares_medians_or_means() -> None:
    traits = [
        Trait("orders", 1.3, 4.2, 1.1, 5, 2),
        Trait("silence", -0.9, 12, 61, 14, 70),
        Trait("tickets", 0.5, 0, 0, 1.25, 0.2),
        Trait("use_trend", -0.45, -0.6931472, 0, -0.7, 0),
        Trait("tenure", 0.3, 900, 100, 900, 100),
    ]
    assert described(traits, "en") == (
        "Orders in a year 4.2 against 1.1; days since the last sign of life 12 against 61; "
        "tickets in 90 days 1.2 against 0.2 on average; use against the 30 days before -50 % against +0 %."
    )
    assert described(traits[2:3], "fr") == "Tickets en 90 jours 1,2 contre 0,2 en moyenne."
    assert described(traits[4:], "en") == "Much like all customers."


def test_numbers_as_people_read_them() -> None:
    assert [shown("basket", value, "en") for value in (0, 0.04, 44.44, 1234.5)] == ["0", "0", "44.4", "1,234"]
    assert shown("basket", 1234.5, "fr") == "1 234"
    assert shown("returns", 0.123, "en") == "12 %"


def test_other_languages_are_named_in_english() -> None:
    assert [language_of(code) for code in ("fr", "en", "de")] == ["fr", "en", "en"]


def test_stability_in_words() -> None:
    values = (0.85, 0.84, 0.75, 0.74, 0.6, 0.59, None)
    assert [stability_band(value) for value in values] == [
        "highly stable", "stable", "stable", "doubtful", "doubtful", "unstable", None,
    ]  # fmt: skip
