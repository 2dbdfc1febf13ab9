"""Which plain words of YAML are truth values."""

import yaml

from retention_pipeline.plain_yaml import PlainLoader, load_plain

TEXT = "on: yes\noff: no\nYes: On\nt: true\nf: False\nn: null\nd: 2024-01-31\ni: 7\nquoted: 'true'\n"


def test_only_true_and_false_are_truth_values():
    found = load_plain(TEXT)
    assert found.pop("d").isoformat() == "2024-01-31"
    assert found == {
        "on": "yes", "off": "no", "Yes": "On", "t": True, "f": False, "n": None, "i": 7, "quoted": "true",
    }  # fmt: skip


def test_both_loaders_read_alike_and_change_no_other():
    assert yaml.load(TEXT, Loader=PlainLoader) == load_plain(TEXT)
    assert yaml.safe_load("on: yes") == {True: True}
