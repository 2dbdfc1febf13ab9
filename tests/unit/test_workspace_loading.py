"""What is said of a `retention.yaml` that is wrong: line, key, value, what is allowed, the nearest name."""

import textwrap

import pytest

from retention_pipeline.errors import RetentionError
from retention_pipeline.workspace.loading import load_business
from tests.pipelines import ONLINE_RETAIL, OULAD

GOOD = """\
business: small
title: Small shop
kind: transactional
timezone: Europe/Paris
currency: EUR
salt: keep-this-one-secret
first_day: 2024-01-01
feeds:
  order_lines:
    - files: exports/*.csv
      columns:
        order_id: order
        ordered_at: time
        quantity: qty
        unit_price: price
"""


def problems(folder, text):
    (folder / "retention.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    with pytest.raises(RetentionError) as caught:
        load_business(folder)
    return str(caught.value).splitlines()


def changed(old, new):
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def option(lines):
    """The good file with further lines in its mapping, from line 11 on."""
    return changed("exports/*.csv", f"exports/*.csv\n      {lines}")


def test_the_businesses_that_ship_are_right():
    assert load_business(ONLINE_RETAIL).name == "online_retail"
    assert load_business(OULAD).name == "oulad"


def test_a_good_file_is_loaded_with_its_defaults(tmp_path):
    (tmp_path / "retention.yaml").write_text(GOOD)
    business = load_business(tmp_path)
    assert (business.name, business.folder) == ("small", tmp_path)
    assert business.config.churn.inactivity_days == 90
    assert business.config.feeds["order_lines"][0].missing == ("",)


def test_a_folder_without_the_file_says_where_to_begin(tmp_path):
    with pytest.raises(RetentionError, match=r"there is no retention\.yaml") as caught:
        load_business(tmp_path / "nowhere")
    assert "let `retention init`" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (changed("kind: transactional", "kind: transactionel"),
         "3: kind: 'transactionel' is not allowed; did you mean transactional?; allowed: transactional, sub"),
        (changed("timezone: Europe/Paris", "timezone: Europe/Pariss"),
         "4: timezone: 'Europe/Pariss' is no IANA time zone; did you mean Europe/Paris?; such as Europe/Paris or UTC"),
        (changed("currency: EUR", "currency: EURO"),
         "5: currency: 'EURO' does not match; allowed: three capital letters, such as EUR"),
        (changed("currency: EUR", "currency: EUX"), "5: currency: 'EUX' is no ISO 4217 code; did you mean "),
        (changed("first_day: 2024-01-01", "first_day: soon"), "7: first_day: 'soon': "),
        (changed("salt: keep-this-one-secret", "salt: tiny"), "6: salt: (not shown): string should have at least 16"),
        (changed("kind: transactional", "kind: subscription"), "3: kind: subscription needs the feed subscriptions"),
        (changed("first_day: 2024-01-01", "first_day: 2024-01-01\nas_of: 2023-01-01"),
         "8: as_of: 2023-01-01 lies before first_day (2024-01-01)"),
        (changed("title: Small shop", "titel: Small shop"), "2: titel: is no key here; did you mean title?; allowed: "),
        (changed("title: Small shop\n", ""), "1: title: is missing"),
        (GOOD + "churn: {horizon_days: 0}\n", "16: churn.horizon_days: '0': input should be greater than or equal"),
        (GOOD + "churn: {horizon: 3}\n", "16: churn.horizon: is no key here; did you mean horizon_days?"),
        (GOOD + "churn: {excluded_features: [tenure_day]}\n",
         "16: churn.excluded_features[0]: 'tenure_day' is no feature; did you mean tenure_days?"),
        (GOOD + "title: Again\n", "16: title: occurs twice; it was set in line 2 already"),
        (changed("order_lines", "order_line"), "9: feeds.order_line: 'order_line' is not allowed; did you mean order"),
        (changed("        quantity: qty\n", ""),
         "11: @.columns: quantity is required by order_lines and not mapped: Units; negative on"),
        (changed("quantity: qty", "quantety: qty"),
         "14: @.columns.quantety: order_lines has no such column; did you mean quantity?; allowed: "),
        (changed("quantity: qty", "quantity: [qty]"), "14: @.columns.quantity: a list"),
        (changed("quantity: qty", "quantity: {sq: qty}"), "14: @.columns.quantity.sq: is no key here"),
        (changed("quantity: qty", "quantity: {sql: getenv('x')}"),
         "14: @.columns.quantity.sql: the expression calls getenv, which is not among"),
        (changed("exports/*.csv", "../*.csv"),
         "10: @.files: '../*.csv' must be a pattern below the folder of the business"),
        (changed("exports/*.csv", "exports/**.csv"), "10: @.files: 'exports/**.csv' must be a pattern below"),
        (option("delimiter: '\"'"), "11: @.delimiter: '\"' cannot separate cells"),
        (option("thousands_mark: '.'"),
         "11: @.thousands_mark: is the same as decimal_mark"),
        (option("encoding: utf8"),
         "11: @.encoding: 'utf8' is not allowed; did you mean utf-8?; allowed: utf-8, utf-16, latin-1"),
        (option("timezone: Paris"), "11: @.timezone: 'Paris' is no"),
        (option("time_format: epoch_second"),
         "11: @.time_format: 'epoch_second' is no strptime format; did you mean epoch_seconds?"),
        (option("time_format: '%Q'"),
         "11: @.time_format: '%Q' is no strptime format: "),
        (option("delivered: {pattern: '[0-9]+'}"),
         "11: @.delivered.pattern: names no group `day` or `month`"),
        (option("delivered: {pattern: '(?P<day>'}"),
         "11: @.delivered.pattern: is no regular expression: "),
        (option("format: parquet\n      delimiter: ;"),
         "12: @.delimiter: has no meaning for parquet files"),
        (GOOD + "      constants: {kind: purchas}\n",
         "16: @.constants.kind: 'purchas' is not allowed; did you mean purchase?; allowed: purchase, "),
        (GOOD + "      constants: {currency: EUX}\n", "16: @.constants.currency: 'EUX' is no ISO 4217"),
        (GOOD + "      constants: {discount: ten}\n", "16: @.constants.discount: 'ten' is no number"),
        (GOOD + "      constants: {quantity: 1}\n", "16: @.constants.quantity: is mapped under columns"),
        (GOOD + "  usage: []\n", "16: feeds.usage: has no files"),
        (GOOD + "plays:\n  one: {title: x, who: nonsense > 1, offers: [{name: a, title: b, effect: 0.1}]}\n",
         "17: plays.one.who: "),
        (GOOD + "plays:\n  one: {title: x, who: is_active, offers: []}\n", "17: plays.one.offers: a list: "),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_line_key_value_and_what_is_allowed(tmp_path, text, message):
    found = problems(tmp_path, text)
    expected = f"retention.yaml:{message.replace('@', 'feeds.order_lines[0]')}"
    assert [line for line in found if line.startswith(expected)] != [], found


def test_every_mistake_is_told_at_once_in_the_order_of_the_file(tmp_path):
    text = changed("currency: EUR", "currency: EUX").replace("quantity: qty", "quantety: qty").replace("title", "titel")
    found = problems(tmp_path, text)
    assert [line.split(":")[1] for line in found] == ["1", "2", "5", "11", "14"]


def test_a_file_that_is_no_yaml_says_in_which_line(tmp_path):
    assert problems(tmp_path, "business: x\ntitle: [a, b\nkind: y\n")[0].startswith("retention.yaml:3: is not YAML: ")
    assert problems(tmp_path, "")[0] == "retention.yaml:1: the file is empty"
    assert problems(tmp_path, "- a\n- b\n")[0].startswith("retention.yaml:1: a list stands where a section is expected")


def test_nothing_in_the_file_is_run_or_unrolled(tmp_path):
    assert "is not YAML" in problems(tmp_path, "business: !!python/object/apply:os.getcwd []\n")[0]
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in range(1, 9):
        bomb += f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n"
    assert "holds more than" in problems(tmp_path, bomb)[0]


def test_a_secret_is_never_shown(tmp_path):
    assert "s3cret" not in "\n".join(problems(tmp_path, changed("salt: keep-this-one-secret", "salt: s3cret")))
    assert "s3cret" not in "\n".join(problems(tmp_path, changed("salt: keep-this-one-secret", "salt: {a: s3cret}")))
