with contacts as (
    select
        grouping(campaign) as all_campaigns,
        grouping(offer) as all_offers,
        grouping(cause) as all_causes,
        grouping(delay) as all_delays,
        campaign,
        offer,
        cause,
        delay,
        {{ winback_sums() }}
    from {{ ref('int_winback_contacts') }}
    group by grouping sets (
        (), (campaign), (campaign, offer), (campaign, cause), (campaign, delay), (campaign, offer, cause, delay)
    )
),

figures as (
    select *, {{ winback_figures() }}
    from contacts
    where contacted + controls > 0
)

select
    run.as_of,
    case when all_campaigns = 1 then 'all' else campaign end as campaign,
    case when all_offers = 1 then 'all' else offer end as offer,
    case when all_causes = 1 then 'all' else cause end as cause,
    case when all_delays = 1 then 'all' else delay end as delay,
    contacted,
    controls,
    pending,
    winback_rate,
    won_back as winback_rate_numerator,
    treated as winback_rate_denominator,
    winback_rate_low,
    winback_rate_high,
    control_return_rate,
    returned_untreated as control_return_rate_numerator,
    untreated as control_return_rate_denominator,
    control_return_rate_low,
    control_return_rate_high,
    {{ share_difference('winback_rate', 'control_return_rate') }} as winback_lift,
    {{ share_difference_low('winback_rate', 'control_return_rate') }} as winback_lift_low,
    {{ share_difference_high('winback_rate', 'control_return_rate') }} as winback_lift_high,
    {{ ratio('known_cost', 'valued_won_back', 4) }} as winback_cost_per_customer,
    cast(known_cost as decimal(18, 4)) as winback_cost_per_customer_numerator,
    valued_won_back as winback_cost_per_customer_denominator,
    round(profit_per_head, 4) as winback_profit_per_head,
    cast(round(profit_per_head * valued, 4) as decimal(18, 4)) as winback_profit_per_head_numerator,
    valued as winback_profit_per_head_denominator,
    round(profit_per_head - profit_margin, 4) as winback_profit_per_head_low,
    round(profit_per_head + profit_margin, 4) as winback_profit_per_head_high
from figures
cross join {{ ref('int_run_context') }} as run
