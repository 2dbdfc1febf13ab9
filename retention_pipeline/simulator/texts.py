"""What customers write, in French and English: a small grammar of openings, matters and closings by theme."""

from __future__ import annotations

import numpy as np

from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.state import Array

Parts = tuple[str, ...]

_OPENINGS: tuple[dict[str, Parts], dict[str, Parts]] = (
    {
        "bad": (
            "Bonjour, ",
            "Honnêtement, ",
            "Je suis déçu : ",
            "Vraiment dommage, ",
            "C'est la troisième fois que j'écris : ",
        ),
        "good": ("Franchement, ", "Bravo à l'équipe, ", "Rien à redire : ", "Après un an d'utilisation, "),
        "plain": ("Bonjour, ", "Bonsoir, ", "Petite question : ", "Madame, Monsieur, "),
    },
    {
        "bad": (
            "Hello, ",
            "Frankly, ",
            "I am disappointed: ",
            "This is a shame, ",
            "I am writing for the third time: ",
        ),
        "good": ("Honestly, ", "Well done, ", "Nothing to add: ", "After a year of use, "),
        "plain": ("Hi, ", "Good morning, ", "A quick question: ", "Dear team, "),
    },
)

_MATTERS: tuple[dict[str, Parts], dict[str, Parts]] = (
    {
        "product_dissatisfaction": (
            "il manque des fonctions essentielles",
            "le produit ne fait pas ce qui est promis",
            "les rapports sont incomplets",
        ),
        "service_quality": (
            "le support ne répond jamais",
            "on m'a laissé sans réponse pendant dix jours",
            "le service client est très mauvais",
        ),
        "price": ("c'est devenu trop cher", "l'augmentation de prix est injustifiée", "le tarif dépasse notre budget"),
        "competitor": (
            "nous avons trouvé mieux ailleurs",
            "un concurrent propose plus pour moins",
            "nous passons chez un autre",
        ),
        "need_changed": ("nous n'en avons plus besoin", "notre projet est terminé", "l'activité a changé"),
        "poor_onboarding": (
            "je n'ai jamais réussi à démarrer",
            "c'est trop compliqué au début",
            "personne ne nous a aidés à commencer",
        ),
        "technical_incident": (
            "l'application est tombée en panne",
            "les rapports affichent des erreurs",
            "tout est lent et plante",
        ),
        "low_engagement": (
            "nous ne l'utilisons presque pas",
            "j'oublie toujours de m'en servir",
            "l'équipe ne s'y connecte plus",
        ),
        "low_perceived_value": ("cela n'en vaut pas la peine", "je ne vois pas ce que cela nous apporte"),
        "payment_failure": ("ma carte a été refusée", "le paiement n'est pas passé"),
        "contract_end": ("le contrat arrive à son terme",),
        "moved_or_closed": ("nous fermons l'entreprise", "la société est liquidée"),
        "administrative_error": ("mon compte a été fermé par erreur",),
        "deceased": ("le titulaire du compte est décédé",),
        "praise": (
            "l'outil est simple et rapide",
            "nous gagnons un temps fou",
            "l'équipe répond très vite",
            "les rapports sont superbes",
        ),
        "question": ("comment inviter un collègue ?", "où trouver mes factures ?", "peut-on exporter en CSV ?"),
        "plain": ("c'est correct", "ça fait le travail", "rien de spécial"),
    },
    {
        "product_dissatisfaction": (
            "essential features are missing",
            "the product does not do what was promised",
            "the reports are incomplete",
        ),
        "service_quality": (
            "support never answers",
            "I was left without a reply for ten days",
            "customer service is very poor",
        ),
        "price": ("it has become too expensive", "the price increase is not justified", "it no longer fits our budget"),
        "competitor": (
            "we found something better",
            "a competitor offers more for less",
            "we are moving to another tool",
        ),
        "need_changed": ("we no longer need it", "our project has ended", "our business has changed"),
        "poor_onboarding": (
            "I never managed to get started",
            "it is too complicated to set up",
            "nobody helped us to begin",
        ),
        "technical_incident": (
            "the application went down",
            "the reports show errors",
            "everything is slow and crashes",
        ),
        "low_engagement": ("we hardly use it", "I keep forgetting about it", "the team does not log in any more"),
        "low_perceived_value": ("it is not worth it", "I do not see what we get out of it"),
        "payment_failure": ("my card was declined", "the payment did not go through"),
        "contract_end": ("the contract comes to its end",),
        "moved_or_closed": ("we are closing the business", "the company is being wound up"),
        "administrative_error": ("my account was closed by mistake",),
        "deceased": ("the account holder has passed away",),
        "praise": (
            "the tool is simple and fast",
            "we save so much time",
            "the team answers quickly",
            "the reports are great",
        ),
        "question": ("how do I invite a colleague?", "where are my invoices?", "can I export to CSV?"),
        "plain": ("it is fine", "it does the job", "nothing special"),
    },
)

_CLOSINGS: tuple[dict[str, Parts], dict[str, Parts]] = (
    {
        "bad": (
            ".",
            ", c'est inacceptable.",
            " et cela dure depuis des semaines.",
            ", je vais en parler autour de moi.",
            ", dommage.",
        ),
        "good": (" !", ", je recommande.", ", merci beaucoup.", "."),
        "plain": (".", " Merci d'avance.", ", cordialement."),
    },
    {
        "bad": (
            ".",
            ", this is not acceptable.",
            " and it has been so for weeks.",
            ", I will tell others.",
            ", a pity.",
        ),
        "good": ("!", ", I recommend it.", ", thank you so much.", "."),
        "plain": (".", " Thanks in advance.", ", kind regards."),
    },
)

PRAISE, QUESTION, PLAIN = len(words.CAUSES), len(words.CAUSES) + 1, len(words.CAUSES) + 2
"""Themes beside the causes."""
_THEMES = (*words.CAUSES, "praise", "question", "plain")
_TONES = ("bad",) * len(words.CAUSES) + ("good", "plain", "plain")

SUBJECTS = (
    {"question": "Une question", "incident": "Panne", "complaint": "Réclamation", "billing": "Facturation"},
    {"question": "A question", "incident": "Outage", "complaint": "Complaint", "billing": "Billing"},
)


def write(themes: Array, languages: Array, chances: Array) -> Array:
    """A text for each theme (a code of a cause, or one of those above) and language (0 French, 1 English).

    Args:
        themes: Codes of themes.
        languages: Codes of languages.
        chances: Three numbers of [0, 1) for each text, a row each.
    """
    texts = [
        _sentence(_THEMES[theme], _TONES[theme], language, picks)
        for theme, language, picks in zip(themes.tolist(), languages.tolist(), chances.tolist(), strict=True)
    ]
    return np.array(texts, dtype=object)


def _sentence(theme: str, tone: str, language: int, picks: list[float]) -> str:
    parts = (_OPENINGS[language][tone], _MATTERS[language][theme], _CLOSINGS[language][tone])
    return "".join(choices[int(pick * len(choices))] for choices, pick in zip(parts, picks, strict=True))


def subjects(kinds: Array, languages: Array) -> Array:
    """The subject line of tickets by kind and language."""
    texts = [
        SUBJECTS[language][words.TICKET_KINDS[kind]]
        for kind, language in zip(kinds.tolist(), languages.tolist(), strict=True)
    ]
    return np.array(texts, dtype=object)
