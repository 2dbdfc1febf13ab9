"""The registry of trained models: a folder per model, and which model each day uses.

`<model_id>/model.skops` holds the fitted estimator, `<model_id>/card.json` everything that is known about it, and
`promoted.json` the model of each day. A model is written aside and renamed when it is whole. Running an older day again
writes the entry of that day only.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from retention_pipeline.churn.card import library_versions, model_digest
from retention_pipeline.churn.model import TrainedModel
from retention_pipeline.churn.model_file import ForeignModelError, dump_estimator, load_estimator
from retention_pipeline.errors import RetentionError

CARD = "card.json"
ESTIMATOR = "model.skops"
PROMOTED = "promoted.json"
_ASIDE = ".aside-"
_MODEL_ID = re.compile(r"[0-9a-f]{16}")
_WAY_OUT = "run the day again: the model is trained anew from the same data and gets the same id"


def save_model(model: TrainedModel, folder: Path) -> Path:
    """Keep a model and make it that of the day for which it was trained.

    Args:
        model: A model from `train`.
        folder: The registry; made where it is missing.

    Returns:
        The folder of the model.

    Raises:
        ValueError: The model was read from a registry, so it belongs to no day.
    """
    if model.day is None:
        raise ValueError("only a model that was just trained belongs to a day")
    data = dump_estimator(model.estimator)
    card = {**model.card, "estimator_sha256": hashlib.sha256(data).hexdigest()}
    files = {ESTIMATOR: data, CARD: _json(card)}
    target = folder / model.model_id
    if not _holds(target, files):
        _write_whole(target, files)
    _promote(folder, model.day, model.model_id)
    return target


def retire_model(folder: Path, day: date) -> None:
    """Record that `day` has no model, whatever was used before."""
    _promote(folder, day, None)


def promotions(folder: Path) -> dict[date, str | None]:
    """The model of each day for which one was trained or retired, in the order of days; None for a day without."""
    path = folder / PROMOTED
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        days = {date.fromisoformat(day): model_id for day, model_id in sorted(found.items())}
    except (ValueError, AttributeError, TypeError) as error:
        raise RetentionError(
            "the list of promoted models cannot be read",
            where=f"{folder.name}/{PROMOTED}",
            expected="a JSON object of days and model ids",
            way_out="delete the file and run the day again",
        ) from error
    return days


def promoted_model(folder: Path, day: date) -> str | None:
    """The id of the model to use on `day`: that of the day itself or of the newest earlier one; None without."""
    known = [model_id for promoted, model_id in promotions(folder).items() if promoted <= day]
    return known[-1] if known else None


def read_card(folder: Path, model_id: str) -> dict[str, Any]:
    """The card of a model, checked to be that of this id.

    Raises:
        RetentionError: There is no such model, or its card was altered.
    """
    place = f"{folder.name}/{model_id}/{CARD}"
    if not _MODEL_ID.fullmatch(model_id):
        raise RetentionError("this is no id of a model", where=place, expected="16 hexadecimal digits")
    try:
        card = json.loads((folder / model_id / CARD).read_text(encoding="utf-8"))
        is_genuine = card["model_id"] == model_id == model_digest(card["inputs"])
    except FileNotFoundError as error:
        raise RetentionError("the model is not in the registry", where=place, way_out=_WAY_OUT) from error
    except (ValueError, KeyError, TypeError) as error:
        raise RetentionError("the card of the model cannot be read", where=place, way_out=_WAY_OUT) from error
    if not is_genuine:
        raise RetentionError(
            "the card does not belong to this model",
            where=place,
            expected="the inputs from which the id was made",
            way_out=_WAY_OUT,
        )
    return dict(card)


def load_model(folder: Path, model_id: str) -> TrainedModel:
    """Read a model back; it gives the same probabilities as when it was saved.

    Raises:
        RetentionError: The model is missing, was altered, holds types that no model holds, or was made by other
            versions of the libraries.
    """
    card = read_card(folder, model_id)
    place = f"{folder.name}/{model_id}/{ESTIMATOR}"
    made_by, here = card["inputs"]["libraries"], library_versions()
    if made_by != here:
        differing = ", ".join(f"{name} {made_by.get(name)}" for name in here if made_by.get(name) != here[name])
        raise RetentionError(
            f"the model was made by other versions: {differing}",
            where=place,
            expected=", ".join(f"{name} {number}" for name, number in here.items()),
            way_out="run the day again: a model is trained with the versions of today",
        )
    try:
        data = (folder / model_id / ESTIMATOR).read_bytes()
    except FileNotFoundError as error:
        raise RetentionError("the file of the model is missing", where=place, way_out=_WAY_OUT) from error
    if hashlib.sha256(data).hexdigest() != card.get("estimator_sha256"):
        raise RetentionError(
            "the file of the model was altered",
            where=place,
            expected="the content whose SHA-256 is in the card",
            way_out=_WAY_OUT,
        )
    try:
        return TrainedModel(card, load_estimator(data))
    except ForeignModelError as error:
        raise RetentionError(
            f"the file of the model is refused: {error}",
            where=place,
            expected="a skops file with the types of this pipeline's models only",
            way_out=_WAY_OUT,
        ) from error


def _holds(target: Path, files: Mapping[str, bytes]) -> bool:
    return all((target / name).is_file() and (target / name).read_bytes() == data for name, data in files.items())


def _write_whole(target: Path, files: Mapping[str, bytes]) -> None:
    """Make the folder with all files, or nothing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(f"{_ASIDE}*"):
        shutil.rmtree(leftover)
    aside = target.with_name(f"{_ASIDE}new")
    aside.mkdir()
    for name, data in files.items():
        _write(aside / name, data)
    if target.exists():
        target.rename(target.with_name(f"{_ASIDE}old"))
    aside.rename(target)
    shutil.rmtree(target.with_name(f"{_ASIDE}old"), ignore_errors=True)


def _promote(folder: Path, day: date, model_id: str | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    days = {**promotions(folder), day: model_id}
    text = _json({promoted.isoformat(): days[promoted] for promoted in sorted(days)})
    aside = folder / f"{_ASIDE}{PROMOTED}"
    _write(aside, text)
    aside.replace(folder / PROMOTED)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()
