"""Writes and reads the file of a fitted estimator: skops, not pickle, so that reading it can run no code of the file.

skops alone trusts a long list of types. Here a file may hold exactly the types that the two recipes are made of, by
name; anything else is refused before an object is made. The bytes that skops gives differ from process to process
(memory addresses as identifiers, the time of day), so they are put into one fixed form: the same estimator, the same
bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from itertools import count
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

TYPES = frozenset(
    {
        "builtins.dict",
        "builtins.list",
        "builtins.str",
        "builtins.tuple",
        "numpy.arcsinh",
        "numpy.dtype",
        "numpy.float64",
        "numpy.ndarray",
        "numpy.random._generator.Generator",
        "numpy.uint64",
        "sklearn._loss._loss.CyHalfBinomialLoss",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.impute._base.MissingIndicator",
        "sklearn.impute._base.SimpleImputer",
        "sklearn.linear_model._logistic.LogisticRegression",
        "sklearn.pipeline.Pipeline",
        "sklearn.preprocessing._data.StandardScaler",
        "sklearn.preprocessing._function_transformer.FunctionTransformer",
        "sklearn.preprocessing._label.LabelEncoder",
    }
)
"""Every type that a model file may name."""

_SCHEMA = "schema.json"
_OF_THE_MACHINE = {"n_threads": "1"}
"""Attributes that tell how a model was computed, not what it is, and the value that is written for them."""
_NO_TIME = (1980, 1, 1, 0, 0, 0)


class ForeignModelError(ValueError):
    """The bytes are no model file of this pipeline."""


def dump_estimator(estimator: Any) -> bytes:
    """The estimator as the bytes of a skops file, the same for equal estimators."""
    from skops.io import dumps

    data = _fixed_form(dumps(estimator))
    unknown = types_in(data) - TYPES
    if unknown:
        raise TypeError(f"the estimator holds types that no model file may hold: {', '.join(sorted(unknown))}")
    return data


def load_estimator(data: bytes) -> Any:
    """The estimator in the bytes of a skops file.

    Raises:
        ForeignModelError: The bytes are no skops file, or name a type that is not in `TYPES`.
    """
    from skops.io import loads

    unknown = types_in(data) - TYPES
    if unknown:
        raise ForeignModelError(f"it holds {', '.join(sorted(unknown))}")
    try:
        return loads(data, trusted=sorted(TYPES))
    except Exception as error:  # skops and what it builds raise whatever the broken part leads to
        raise ForeignModelError(f"it cannot be read: {type(error).__name__}") from error


def types_in(data: bytes) -> frozenset[str]:
    """The full names of all types that a skops file mentions.

    Raises:
        ForeignModelError: The bytes are no skops file.
    """
    try:
        with ZipFile(BytesIO(data)) as archive:
            schema = json.loads(archive.read(_SCHEMA))
    except (BadZipFile, KeyError, ValueError) as error:
        raise ForeignModelError("it is no skops file") from error
    return frozenset(_named(schema))


def _named(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "__class__" in node or "__module__" in node:
            yield f"{node.get('__module__')}.{node.get('__class__')}"
        for value in node.values():
            yield from _named(value)
    elif isinstance(node, list):
        for value in node:
            yield from _named(value)


def _fixed_form(data: bytes) -> bytes:
    """Number the objects in the order in which they occur, and give all parts the same time."""
    with ZipFile(BytesIO(data)) as archive:
        schema = json.loads(archive.read(_SCHEMA))
        files: dict[str, str] = {}
        _renumber(schema, count(1), {}, files)
        written = BytesIO()
        with ZipFile(written, "w") as target:
            for name, new_name in files.items():
                _write(target, new_name, archive.read(name))
            _write(target, _SCHEMA, json.dumps(schema, sort_keys=True, separators=(",", ":")).encode())
    return written.getvalue()


def _renumber(node: Any, numbers: Iterator[int], known: dict[int, int], files: dict[str, str]) -> None:
    if isinstance(node, dict):
        if node.get("__loader__") == "JsonNode":
            # Python shares some equal numbers and texts and not others: for them, identity says nothing.
            node["__id__"] = next(numbers)
        elif isinstance(node.get("__id__"), int):
            address = node["__id__"]
            if address not in known:
                known[address] = next(numbers)
            node["__id__"] = known[address]
        if isinstance(node.get("file"), str):
            node["file"] = files.setdefault(node["file"], f"{len(files) + 1}.npy")
        for name, value in node.items():
            if name in _OF_THE_MACHINE:
                value["content"] = _OF_THE_MACHINE[name]
            _renumber(value, numbers, known, files)
    elif isinstance(node, list):
        for value in node:
            _renumber(value, numbers, known, files)


def _write(archive: ZipFile, name: str, content: bytes) -> None:
    part = ZipInfo(name, _NO_TIME)
    part.compress_type = ZIP_DEFLATED
    archive.writestr(part, content)
