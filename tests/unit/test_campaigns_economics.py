"""What a contact is expected to earn: figures worked by hand, and the offer that each customer gets."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_pipeline.campaigns.deciding import decide
from tests.unit.campaign_data import DAY, business, customer, exclusions, offer, play, targets, warehouse

FIGURES = "value_at_stake, expected_uplift, cost, expected_profit"


def decided(tmp_path: Path, who: dict[str, Any], of_play: dict[str, Any], **changes: Any) -> tuple[Any, ...]:
    """Value, uplift, cost and profit of one customer in one play."""
    with warehouse([who]) as con:
        decide(con, business({"p": {**play(require_profit=False), **of_play}}, **changes), DAY, tmp_path)
        (found,) = targets(con, FIGURES)
    return found


def test_retain_by_hand(tmp_path: Path) -> None:
    """p = 0.4, e = 0.1, V = 250: uplift 0.04; stays 1 - 0.4 + 0.04 = 0.64; of these half take 10 % of 250, which is
    0.64 * 0.5 * 0.1 * 250 = 8.00; with 1.20 for the gift and 0.30 for the contact 9.50. Gain 0.04 * 250 = 10.00.
    """
    found = decided(
        tmp_path,
        customer("a", margin_365d=250, churn_probability=0.4),
        {"offers": [offer(discount_share=0.1, redemption=0.5, fixed_cost="1.20")], "contact_cost": "0.30"},
    )
    assert found == (Decimal("250.00"), 0.04, Decimal("9.50"), Decimal("0.50"))


def test_win_back_by_hand(tmp_path: Path) -> None:
    """Returns with 0.2, so p = 0.8; e = 0.05, V = 300: uplift 0.04; returns when contacted with 0.24; 20 % of 300 to
    each of them is 0.24 * 0.2 * 300 = 14.40, plus 0.10. Gain 0.04 * 300 = 12.00.
    """
    found = decided(
        tmp_path,
        customer("a", margin_365d=999, margin_before_loss_365d=300, churn_probability=None),
        {
            "goal": "win_back",
            "return_probability": 0.2,
            "offers": [offer(effect=0.05, discount_share=0.2)],
            "contact_cost": "0.10",
        },
    )
    assert found == (Decimal("300.00"), 0.04, Decimal("14.50"), Decimal("-2.50"))


def test_a_lost_subscriber_is_worth_what_was_paid(tmp_path: Path) -> None:
    """Half of 12 months at 10, and a margin of 5 on orders before the loss."""
    gone = customer(
        "a", margin_365d=0, monthly_price=None, margin_before_loss_365d=5, monthly_price_before_loss=10,
        churn_probability=None,
    )  # fmt: skip
    found = decided(tmp_path, gone, {"goal": "win_back"}, value={"gross_margin": 0.5})
    assert found[0] == Decimal("65.00")


@pytest.mark.parametrize(
    ("who", "value", "expected"),
    [
        ({"margin_365d": "123.45"}, {}, "123.45"),
        ({"margin_365d": "-20"}, {}, "0.00"),
        ({"margin_365d": 100}, {"horizon_days": 73}, "20.00"),
        ({"margin_365d": 100}, {"fixed_value": "7.50"}, "7.50"),
        # 0.5 of 12 months at 9.99
        ({"margin_365d": None, "monthly_price": "9.99"}, {"gross_margin": 0.5}, "59.94"),
        # ... and what the customer ordered beside it
        ({"margin_365d": 10, "monthly_price": "9.99"}, {"gross_margin": 0.5}, "69.94"),
        ({"margin_365d": None}, {}, None),
    ],
)
def test_value_at_stake(tmp_path: Path, who: dict[str, Any], value: dict[str, Any], expected: str | None) -> None:
    found = decided(tmp_path, customer("a", **who), {}, value=value)
    assert found[0] == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("who", "prior", "uplift"),
    [
        ({"churn_probability": 0.25}, 0.9, 0.025),
        ({"churn_probability": None}, 0.9, 0.09),
        ({"churn_probability": None, "has_given_notice": True}, 0.3, 0.1),
    ],
    ids=["scored", "prior", "notice"],
)
def test_probability_of_loss(tmp_path: Path, who: dict[str, Any], prior: float, uplift: float) -> None:
    assert decided(tmp_path, customer("a", **who), {"churn_prior": prior})[1] == uplift


def test_without_score_or_prior_nobody_is_judged(tmp_path: Path) -> None:
    with warehouse([customer("a", churn_probability=None), customer("b")]) as con:
        decide(con, business({"p": play()}), DAY, tmp_path)
        assert exclusions(con) == {("p", "a"): "no_score"}
        assert [row[1] for row in targets(con)] == ["b"]


def test_the_sure_ones_get_no_discount(tmp_path: Path) -> None:
    """A discount of 10 % costs more than it saves below p = 0.1 / (0.3 - 0.05 + 0.1 - 0.03) = 0.3125."""
    offers = [offer("discount", effect=0.3, discount_share=0.1), offer("word", effect=0.05)]
    people = [customer(f"{p:.2f}", churn_probability=p) for p in (0.05, 0.2, 0.29, 0.35, 0.6, 0.95)]
    with warehouse(people) as con:
        decide(con, business({"p": play(offers=offers)}), DAY, tmp_path)
        given_offers = dict(targets(con, "customer_id, offer"))
    assert given_offers == {
        "0.05": "word", "0.20": "word", "0.29": "word", "0.35": "discount", "0.60": "discount", "0.95": "discount",
    }  # fmt: skip


def test_of_equal_offers_the_cheapest_then_the_first(tmp_path: Path) -> None:
    # V = 100, p = 0.5. dear: 0.2 * 0.5 * 100 - 5 = 5.00; cheap and twin: 0.1 * 0.5 * 100 = 5.00.
    offers = [offer("dear", effect=0.2, fixed_cost=5), offer("cheap"), offer("twin")]
    with warehouse([customer("a")]) as con:
        decide(con, business({"p": play(offers=offers)}), DAY, tmp_path)
        assert targets(con, "offer, expected_profit") == [("cheap", Decimal("5.00"))]


def test_what_does_not_pay_is_left_out_unless_wanted(tmp_path: Path) -> None:
    people = [customer("poor", margin_365d=1), customer("rich"), customer("unknown", margin_365d=None)]
    costly = {"contact_cost": "1", "who": "is_active"}
    with warehouse(people) as con:
        decide(con, business({"p": play(**costly)}), DAY, tmp_path)
        assert exclusions(con) == {("p", "poor"): "not_profitable", ("p", "unknown"): "no_value"}
        decide(con, business({"p": play(**costly, require_profit=False)}), DAY, tmp_path)
        assert exclusions(con) == {}
        profits = dict(targets(con, "customer_id, expected_profit"))
    assert profits == {"rich": Decimal("4.00"), "poor": Decimal("-0.95"), "unknown": Decimal("-1.00")}


def _round(value: Decimal, digits: str) -> Decimal:
    return value.quantize(Decimal(digits), rounding=ROUND_HALF_UP)


share = st.integers(0, 100).map(lambda percent: percent / 100)
offers_strategy = st.lists(
    st.fixed_dictionaries(
        {"effect": share, "discount_share": share, "redemption": share, "fixed_cost": st.integers(0, 2000)}
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=15, deadline=None)
@given(
    offers=offers_strategy,
    people=st.lists(st.tuples(st.integers(0, 1_000_000), st.integers(0, 10**13)), min_size=1, max_size=8),
)
def test_everyone_gets_the_offer_that_pays_best(
    tmp_path_factory: pytest.TempPathFactory, offers: list[dict[str, Any]], people: list[tuple[int, int]]
) -> None:
    """Against the formula in exact arithmetic, written a second time."""
    named = [
        offer(f"o{place}", **{**terms, "fixed_cost": str(Decimal(terms["fixed_cost"]) / 100)})
        for place, terms in enumerate(offers)
    ]
    rows = [
        customer(str(number), churn_probability=p / 1_000_000, margin_365d=Decimal(cents) / 100)
        for number, (p, cents) in enumerate(people)
    ]
    with warehouse(rows) as con:
        decide(con, business({"p": play(offers=named, require_profit=False)}), DAY, tmp_path_factory.mktemp("state"))
        found = {row[0]: row[1:] for row in targets(con, "customer_id, offer, cost, expected_profit")}
    for number, (millionths, cents) in enumerate(people):
        p, value = Decimal(millionths) / 1_000_000, Decimal(cents) / 100
        choices = []
        for place, terms in enumerate(offers):
            uplift = _round(Decimal(str(terms["effect"])) * p, "0.000001")
            giveaway = Decimal(str(terms["redemption"])) * Decimal(str(terms["discount_share"]))
            cost = _round((1 - p + uplift) * giveaway * value + Decimal(terms["fixed_cost"]) / 100, "0.01")
            choices.append((-(_round(uplift * value, "0.01") - cost), cost, place))
        loss, cost, place = min(choices)
        assert found[str(number)] == (f"o{place}", cost, -loss)
