"""The section `voice` of `retention.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from retention_pipeline.voice.normalising import phrase_words
from retention_pipeline.voice.taxonomy import Cause
from retention_pipeline.workspace.section import Days, Section, Share


class VoiceSettings(Section):
    """What customers say: the rules by which a text tells a cause, and the windows within which it counts."""

    causes: dict[Cause | Literal["unknown"], tuple[str, ...]] = Field(
        {},
        description=(
            "Cause → phrases that tell it, in any language: whole words, accents and case ignored, `*` at the end of a "
            "stem. Added to those that ship, which they override; under `unknown` a shipped phrase is out of force."
        ),
    )
    reasons: dict[str, Cause | Literal["unknown"]] = Field(
        {},
        description=(
            "Exact reason of an export (`cancel_reason`, the reason of a survey, the kind of a ticket; case ignored) → "
            "cause. Added to those that ship, which they override."
        ),
    )
    min_confidence: Share = Field(
        0.4, description="A theme of which the classifier is less sure than this is unknown; rules are always sure."
    )
    nps_window_days: Days = Field(90, description="Days within which the last NPS answer of a customer counts.")
    cause_window_days: Days = Field(
        90, description="Days before a loss within which a ticket or another unhappy text tells its cause."
    )
    survey_campaigns: dict[Literal["nps", "csat", "ces", "exit"], tuple[str, ...]] = Field(
        {},
        description=(
            "Survey → campaigns of the messages feed that ask for it: they say who was asked, without which there is "
            "no response rate."
        ),
    )

    @field_validator("causes")
    @classmethod
    def _has_words(cls, causes: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        told: dict[tuple[str, ...], str] = {}
        for cause, phrases in causes.items():
            for phrase in phrases:
                try:
                    key = phrase_words(phrase)
                except ValueError as error:
                    raise ValueError(f"{phrase!r}: {error}") from None
                if told.setdefault(key, cause) != cause:
                    raise ValueError(f"{phrase!r} stands under {told[key]} and under {cause}")
        return causes
