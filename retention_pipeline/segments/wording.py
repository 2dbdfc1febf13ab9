"""Names and descriptions of segments in words, in English or French."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import exp

TELLING = 0.4
"""A behaviour names a segment whose mean lies so many standard deviations from that of all."""

_IN_NAME, _IN_DESCRIPTION = 2, 4


@dataclass(frozen=True)
class Words:
    """How a behaviour is called, and those who show much or little of it."""

    measure: str
    much: str
    little: str


_ENGLISH: Mapping[str, Words] = {
    "silence": Words("days since the last sign of life", "quiet", "seen lately"),
    "orders": Words("orders in a year", "frequent buyers", "rare buyers"),
    "basket": Words("average basket", "big baskets", "small baskets"),
    "returns": Words("share of value returned", "many returns", "few returns"),
    "use": Words("days of use in 30 days", "heavy use", "light use"),
    "use_trend": Words("use against the 30 days before", "growing use", "fading use"),
    "breadth": Words("features used in 30 days", "many features", "few features"),
    "events": Words("product events in 30 days", "much activity", "little activity"),
    "price": Words("monthly price", "large plans", "small plans"),
    "tickets": Words("tickets in 90 days", "many tickets", "few tickets"),
    "opened": Words("messages opened in 90 days", "read messages", "read no messages"),
    "tenure": Words("days as a customer", "long-standing", "new"),
}
_FRENCH: Mapping[str, Words] = {
    "silence": Words("jours depuis le dernier signe de vie", "silencieux", "vus récemment"),
    "orders": Words("commandes par an", "achats fréquents", "achats rares"),
    "basket": Words("panier moyen", "gros paniers", "petits paniers"),
    "returns": Words("part de la valeur retournée", "retours nombreux", "peu de retours"),
    "use": Words("jours d'usage en 30 jours", "usage intense", "usage faible"),
    "use_trend": Words("usage par rapport aux 30 jours d'avant", "usage en hausse", "usage en baisse"),
    "breadth": Words("fonctions utilisées en 30 jours", "nombreuses fonctions", "peu de fonctions"),
    "events": Words("événements en 30 jours", "forte activité", "faible activité"),
    "price": Words("prix mensuel", "gros abonnements", "petits abonnements"),
    "tickets": Words("tickets en 90 jours", "nombreux tickets", "peu de tickets"),
    "opened": Words("messages ouverts en 90 jours", "lisent les messages", "ne lisent pas les messages"),
    "tenure": Words("jours comme client", "anciens", "nouveaux"),
}
_PLAIN = {"en": ("like most", "all customers"), "fr": ("comme la plupart", "tous les clients")}
_SENTENCES = {
    "en": ("{measure} {own} against {all}", "{measure} {own} against {all} on average", "Much like all customers"),
    "fr": ("{measure} {own} contre {all}", "{measure} {own} contre {all} en moyenne", "Proches de l'ensemble"),
}


@dataclass(frozen=True)
class Trait:
    """One behaviour of a segment beside that of all active customers.

    Args:
        behaviour: Its name.
        difference: Mean of the segment minus mean of all, in standard deviations.
        median: Median of the segment, in the behaviour's own unit.
        median_all: Median of all.
        mean: Mean of the segment.
        mean_all: Mean of all.
    """

    behaviour: str
    difference: float
    median: float
    median_all: float
    mean: float
    mean_all: float


def language_of(language: str) -> str:
    """The language in which segments are named: French where asked for, else English."""
    return "fr" if language == "fr" else "en"


def named(differences: Mapping[str, float], taken: Collection[str], language: str) -> str:
    """A short name that nobody has yet, after what sets a segment apart most.

    Args:
        differences: Behaviour → mean of the segment minus mean of all, in standard deviations.
        taken: Names of other segments.
        language: `en` or `fr`.
    """
    words = _FRENCH if language == "fr" else _ENGLISH
    telling = [
        name
        for name in _by_size(differences)
        if abs(differences[name]) >= TELLING and not _is_implied(name, differences)
    ]
    parts = [words[name].much if differences[name] > 0 else words[name].little for name in telling]
    name = ", ".join(parts[:_IN_NAME]) or _PLAIN[language][0 if differences else 1]
    for more in parts[_IN_NAME:]:
        if name not in taken:
            break
        name = f"{name}, {more}"
    number, plain = 2, name
    while name in taken:
        name, number = f"{plain} ({number})", number + 1
    return name


def _is_implied(name: str, differences: Mapping[str, float]) -> bool:
    """Whether another behaviour says it already: who hardly buys has small baskets."""
    return name == "basket" and differences[name] < 0 and differences.get("orders", 0) <= -TELLING


def described(traits: Sequence[Trait], language: str) -> str:
    """What sets a segment apart, in words and numbers: medians, or means where the medians are the same."""
    words = _FRENCH if language == "fr" else _ENGLISH
    by_median, by_mean, nothing = _SENTENCES[language]
    differences = {trait.behaviour: trait.difference for trait in traits}
    known = {trait.behaviour: trait for trait in traits}
    parts = []
    for name in _by_size(differences)[:_IN_DESCRIPTION]:
        trait = known[name]
        if abs(trait.difference) < TELLING:
            break
        own, everyone = shown(name, trait.median, language), shown(name, trait.median_all, language)
        sentence = by_median
        if own == everyone:
            own, everyone = shown(name, trait.mean, language), shown(name, trait.mean_all, language)
            sentence = by_mean
        parts.append(sentence.format(measure=words[name].measure, own=own, all=everyone))
    text = "; ".join(parts) or nothing
    return f"{text[0].upper()}{text[1:]}."


def shown(behaviour: str, value: float, language: str) -> str:
    """A number as people read it."""
    if behaviour == "use_trend":
        text = f"{100 * (exp(value) - 1):+.0f} %"
    elif behaviour == "returns":
        text = f"{100 * value:.0f} %"
    elif abs(value) >= 100:
        text = f"{value:,.0f}"
    else:
        text = f"{round(value, 1):g}"
    return text.replace(",", " ").replace(".", ",") if language == "fr" else text


def _by_size(differences: Mapping[str, float]) -> list[str]:
    return sorted(differences, key=lambda name: (-abs(differences[name]), name))
