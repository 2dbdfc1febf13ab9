"""The registry keeps models whole, knows which day uses which, and refuses what is not its own."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from retention_pipeline.churn import model_file, registry
from retention_pipeline.churn.model import train
from retention_pipeline.churn.registry import (
    load_model,
    promoted_model,
    promotions,
    read_card,
    retire_model,
    save_model,
)
from retention_pipeline.errors import RetentionError
from tests.pipelines import folder_digest
from tests.unit.churn_data import SETTINGS, Process, build_marts


@pytest.fixture(scope="module")
def models():
    """A model of a day, and that of the month before."""
    process = Process()
    with duckdb.connect() as con:
        build_marts(con, process)
        return train(con, process.day, SETTINGS), train(con, process.day - timedelta(days=31), SETTINGS)


@pytest.fixture
def model(models):
    return models[0]


def replace_estimator(folder: Path, data: bytes, *, with_card: bool) -> None:
    """Put other bytes in the place of the estimator, with a card that agrees or not."""
    (folder / registry.ESTIMATOR).write_bytes(data)
    if with_card:
        card = json.loads((folder / registry.CARD).read_text())
        card["estimator_sha256"] = hashlib.sha256(data).hexdigest()
        (folder / registry.CARD).write_text(json.dumps(card))


@pytest.mark.parametrize("algorithm", ["hist_gradient_boosting", "logistic_regression"])
def test_an_estimator_read_back_gives_the_same_log_odds(algorithm):
    from retention_pipeline.churn import recipes

    random = np.random.default_rng(0)
    matrix = random.normal(size=(800, 4))
    matrix[random.random(matrix.shape) < 0.2] = np.nan
    estimator = recipes.fit(algorithm, matrix, random.random(800) < 0.4, seed=1)
    again = model_file.load_estimator(model_file.dump_estimator(estimator))
    assert np.array_equal(recipes.log_odds(again, matrix), recipes.log_odds(estimator, matrix))


def test_the_threads_that_fitted_an_estimator_leave_no_trace_in_its_file():
    from threadpoolctl import threadpool_limits

    from retention_pipeline.churn import recipes

    random = np.random.default_rng(0)
    matrix, churned = random.normal(size=(3000, 4)), random.random(3000) < 0.4
    files = []
    for threads in (1, 2):
        estimator = recipes.build_boosting(1)
        with threadpool_limits(threads, user_api="openmp"):
            files.append(model_file.dump_estimator(estimator.fit(matrix, churned)))
    assert files[0] == files[1]


def test_a_model_read_back_gives_the_same_probabilities(model, tmp_path):
    save_model(model, tmp_path)
    again = load_model(tmp_path, model.model_id)
    matrix = np.random.default_rng(1).normal(20, 30, size=(500, len(model.features)))
    assert np.array_equal(again.probabilities(matrix), model.probabilities(matrix))
    assert again.features == model.features


def test_saving_twice_leaves_the_same_files(model, tmp_path):
    save_model(model, tmp_path)
    before = folder_digest(tmp_path)
    save_model(model, tmp_path)
    assert folder_digest(tmp_path) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([model.model_id, "promoted.json"])


def test_the_card_says_what_a_reader_must_know(model, tmp_path):
    save_model(model, tmp_path)
    card = read_card(tmp_path, model.model_id)
    assert {"data", "metrics", "calibration_bins", "features", "inputs", "choice", "notes"} <= set(card)
    assert all(feature["description"] for feature in card["features"])
    assert card["inputs"]["libraries"]["scikit-learn"]
    assert card["inputs"]["settings"]["horizon_days"] == SETTINGS.horizon_days
    assert card["data"]["final_fit"]["dates"] > card["data"]["training"]["dates"]


def test_an_older_day_run_again_leaves_the_newest_day_alone(models, tmp_path):
    new, old = models
    save_model(new, tmp_path)
    save_model(old, tmp_path)
    assert promoted_model(tmp_path, new.day) == new.model_id
    assert promoted_model(tmp_path, old.day) == old.model_id
    retire_model(tmp_path, old.day)
    assert promoted_model(tmp_path, old.day) is None
    assert promoted_model(tmp_path, new.day) == new.model_id
    assert list(promotions(tmp_path)) == [old.day, new.day]


def test_a_day_without_an_entry_uses_the_newest_earlier_one(model, tmp_path):
    assert promoted_model(tmp_path, model.day) is None
    save_model(model, tmp_path)
    assert promoted_model(tmp_path, model.day + timedelta(days=1)) == model.model_id
    assert promoted_model(tmp_path, model.day - timedelta(days=1)) is None


def test_a_damaged_file_is_refused(model, tmp_path):
    folder = save_model(model, tmp_path)
    data = bytearray((folder / registry.ESTIMATOR).read_bytes())
    data[len(data) // 2] ^= 1
    replace_estimator(folder, bytes(data), with_card=False)
    with pytest.raises(RetentionError, match="file of the model was altered"):
        load_model(tmp_path, model.model_id)


def test_the_estimator_of_another_model_is_refused(models, tmp_path):
    new, old = (save_model(model, tmp_path) for model in models)
    shutil.copy(old / registry.ESTIMATOR, new / registry.ESTIMATOR)
    with pytest.raises(RetentionError, match="file of the model was altered"):
        load_model(tmp_path, models[0].model_id)


def test_a_card_of_another_model_is_refused(models, tmp_path):
    new, old = (save_model(model, tmp_path) for model in models)
    shutil.copy(old / registry.CARD, new / registry.CARD)
    with pytest.raises(RetentionError, match="does not belong"):
        load_model(tmp_path, models[0].model_id)


def test_a_card_with_altered_inputs_is_refused(model, tmp_path):
    folder = save_model(model, tmp_path)
    card = json.loads((folder / registry.CARD).read_text())
    card["inputs"]["settings"]["horizon_days"] = 1
    (folder / registry.CARD).write_text(json.dumps(card))
    with pytest.raises(RetentionError, match="does not belong"):
        read_card(tmp_path, model.model_id)


def test_a_file_with_other_types_is_refused_even_when_the_card_agrees(model, tmp_path):
    from sklearn.tree import DecisionTreeClassifier
    from skops.io import dumps

    folder = save_model(model, tmp_path)
    foreign = DecisionTreeClassifier().fit([[0], [1]], [False, True])
    replace_estimator(folder, dumps(foreign), with_card=True)
    with pytest.raises(RetentionError, match="DecisionTreeClassifier"):
        load_model(tmp_path, model.model_id)


def test_a_pickle_is_refused_without_being_read(model, tmp_path):
    import pickle

    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    folder = save_model(model, tmp_path)
    replace_estimator(folder, pickle.dumps(Trap()), with_card=True)
    with pytest.raises(RetentionError, match="no skops file"):
        load_model(tmp_path, model.model_id)
    assert not (tmp_path / "sprung").exists()


def test_a_broken_file_of_the_right_types_is_refused(model, tmp_path):
    folder = save_model(model, tmp_path)
    from io import BytesIO
    from zipfile import ZipFile

    data = BytesIO((folder / registry.ESTIMATOR).read_bytes())
    broken = BytesIO()
    with ZipFile(data) as archive, ZipFile(broken, "w") as target:
        target.writestr("schema.json", archive.read("schema.json"))
    replace_estimator(folder, broken.getvalue(), with_card=True)
    with pytest.raises(RetentionError, match="cannot be read"):
        load_model(tmp_path, model.model_id)


def test_a_model_of_other_library_versions_is_refused(model, tmp_path):
    from retention_pipeline.churn.model import TrainedModel, model_digest

    inputs = json.loads(json.dumps(model.card["inputs"]))
    inputs["libraries"]["scikit-learn"] = "1.0.0"
    older = TrainedModel({**model.card, "inputs": inputs, "model_id": model_digest(inputs)}, model.estimator, model.day)
    save_model(older, tmp_path)
    with pytest.raises(RetentionError, match=r"scikit-learn 1\.0\.0"):
        load_model(tmp_path, older.model_id)


@pytest.mark.parametrize("name", ["../elsewhere", "0123", "", "0123456789ABCDEF"])
def test_only_ids_are_looked_up(tmp_path, name):
    with pytest.raises(RetentionError, match="no id"):
        load_model(tmp_path, name)


def test_a_missing_model_is_said(tmp_path):
    with pytest.raises(RetentionError, match="not in the registry"):
        load_model(tmp_path, "0123456789abcdef")


def test_a_save_that_fails_leaves_the_registry_as_it_was(models, tmp_path):
    new, old = models
    save_model(old, tmp_path)
    before = folder_digest(tmp_path)
    (tmp_path / ".aside-new").write_text("a file where the folder should be made")
    with pytest.raises(OSError):
        save_model(new, tmp_path)
    assert folder_digest(tmp_path) == before
    (tmp_path / ".aside-new").unlink()
    save_model(new, tmp_path)
    assert promoted_model(tmp_path, new.day) == new.model_id


def test_what_a_killed_save_left_is_cleared_away(model, tmp_path):
    (tmp_path / ".aside-new").mkdir()
    (tmp_path / ".aside-new" / "model.skops").write_bytes(b"half")
    (tmp_path / ".aside-old").mkdir()
    save_model(model, tmp_path)
    load_model(tmp_path, model.model_id)
    assert not list(tmp_path.glob(".aside*"))


def test_a_model_from_the_registry_is_not_promoted_again(model, tmp_path):
    save_model(model, tmp_path)
    with pytest.raises(ValueError, match="belongs to a day"):
        save_model(load_model(tmp_path, model.model_id), tmp_path)


def test_an_unreadable_list_of_promotions_is_said(tmp_path):
    (tmp_path / "promoted.json").write_text("[1")
    with pytest.raises(RetentionError, match="cannot be read"):
        promoted_model(tmp_path, date(2020, 1, 1))
