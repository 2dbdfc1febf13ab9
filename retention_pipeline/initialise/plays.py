"""Starter plays for each kind of business, as they stand in `retention.yaml`, comments and all."""

from __future__ import annotations

from collections.abc import Collection

from retention_pipeline.initialise.facts import Facts

_INTRODUCTION = """\
# Campaign lists to begin with. Each play takes the customers for whom `who` holds, gives each the offer that should
# earn most, and leaves out whom it must not or need not contact; every customer left out is kept with the reason.
# docs/campaigns.md explains all. The effects are priors, not results: `effect: 0.03` means that of 100 customers who
# would otherwise be lost, 3 are kept. Replace offers and effects by your own before you send anything.
"""

_SECOND_ORDER = """\
  second_order:
    title: Second order
    priority: 10                 # plays with a lower number choose first
    who: is_active AND orders_total = 1 AND days_since_last_order BETWEEN 14 AND 60
    reasons:
      first_order_only: orders_total = 1
      high_risk: risk_band = 'high'
    churn_prior: 0.6             # without a score; a guess
    offers:
      - name: product_tips
        title: Ideas that go with your first order
        effect: 0.01
      - name: free_delivery
        title: Free delivery on your second order
        effect: 0.025
        discount_share: 0.03
        redemption: 0.3
    contact_cost: 0.01
"""

_WEAK_SIGNAL_SHOP = """\
  weak_signal:
    title: Weak signals
    priority: 20
    who: >-
      is_active AND orders_total >= 2 AND days_since_last_order >= 21
      AND (is_at_risk OR overdue_ratio >= 1.5 OR risk_band = 'high')
    reasons:
      silent: is_at_risk
      overdue: overdue_ratio >= 1.5
      high_risk: risk_band = 'high'
    offers:
      - name: reminder
        title: New this season
        effect: 0.01
      - name: five_percent_off
        title: 5 % off your next order
        effect: 0.02
        discount_share: 0.025
        redemption: 0.3
    contact_cost: 0.01
    max_customers: 300           # a day, control included
"""

_WEAK_SIGNAL_USE = """\
  weak_signal:
    title: Weak signals
    priority: 20
    who: >-
      is_active AND NOT has_given_notice
      AND ((usage_change_30d <= -0.2 AND usage_events_prior_30d >= 30) OR days_since_last_usage >= 14
      OR is_at_risk OR risk_band = 'high')
    reasons:
      usage_down: usage_change_30d <= -0.2 AND usage_events_prior_30d >= 30
      silent: days_since_last_usage >= 14
      high_risk: risk_band = 'high'
    offers:
      - name: tips
        title: How to get more out of it
        effect: 0.02
      - name: call
        title: A call from your contact person
        effect: 0.06
        fixed_cost: 8            # per customer contacted
    contact_cost: 0.01
    max_customers: 200           # a day, control included
"""

_ONBOARDING = """\
  onboarding:
    title: A good start
    priority: 10                 # plays with a lower number choose first
    who: is_active AND NOT has_given_notice AND days_since_subscription_start BETWEEN 7 AND 45{unused}
    reasons:
      high_risk: risk_band = 'high'{never}
    purpose: service             # about what they pay for: what the contract covers; advertising needs another ground
    churn_prior: 0.1             # without a score; a guess
    offers:
      - name: welcome_guide
        title: How to begin
        effect: 0.03
    contact_cost: 0.01
"""

_PAYMENT_FAILED = """\
  payment_failed:
    title: Payment failed
    priority: 5
    who: is_active AND failed_payments_90d >= 1
    reasons:
      several: failed_payments_90d >= 2
    purpose: service             # about their own payment
    churn_prior: 0.2
    offers:
      - name: update_card
        title: Please check your means of payment
        effect: 0.2
    contact_cost: 0.01
    cooldown_days: 7
"""

_WIN_BACK = """\
  winback:
    title: Win back
    goal: win_back               # acts on the probability of returning
    priority: 40
    who: lifecycle_stage = 'churned' AND days_since_end BETWEEN 30 AND 240
    reasons:
      lost_recently: days_since_end <= 90
    return_probability: 0.1      # how many return by themselves: measure it
    offers:
      - name: we_miss_you
        title: What is new
        effect: 0.01
      - name: ten_percent_off
        title: 10 % off if you come back
        effect: 0.03
        discount_share: 0.05
        redemption: 0.5
    contact_cost: 0.01
    cooldown_days: 120
    max_customers: 400
"""


def starter_plays(facts: Facts) -> str:
    """The section `plays`: two to four that fit the kind and the feeds of the business."""
    return f"{_INTRODUCTION}plays:\n" + "\n".join(_chosen(facts.kind, facts.feeds))


def _chosen(kind: str, feeds: Collection[str]) -> list[str]:
    is_used = "usage" in feeds
    onboarding = _ONBOARDING.format(
        unused=" AND usage_days_30d <= 5" if is_used else "",
        never="\n      never_seen: days_since_last_usage IS NULL" if is_used else "",
    )
    if kind == "transactional":
        shop = "order_lines" in feeds
        return [_SECOND_ORDER, _WEAK_SIGNAL_SHOP, _WIN_BACK] if shop else [_WEAK_SIGNAL_USE, _WIN_BACK]
    plays = [_PAYMENT_FAILED] if "payment_attempts" in feeds else []
    return [*plays, onboarding, _WEAK_SIGNAL_USE, _WIN_BACK]
