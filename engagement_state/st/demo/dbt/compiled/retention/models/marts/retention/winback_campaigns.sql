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
        count(*) filter (where arm = 'treatment') as contacted,
    count(*) filter (where arm = 'control') as controls,
    count(*) filter (where not is_final) as pending,
    count(*) filter (where arm = 'treatment' and is_final) as treated,
    count(*) filter (where arm = 'control' and is_final) as untreated,
    count(*) filter (where arm = 'treatment' and is_final and is_won_back) as won_back,
    count(*) filter (where arm = 'control' and is_final and is_won_back) as returned_untreated,
    count(*) filter (where arm = 'treatment' and is_value_final) as valued,
    count(*) filter (where arm = 'control' and is_value_final) as valued_untreated,
    count(*) filter (where arm = 'treatment' and is_value_final and is_won_back) as valued_won_back,
    count(*) filter (where is_value_final and margin_after is null) as unknown_margins,
    count(*) filter (where is_value_final and (contact_cost is null or discount_cost is null)) as unknown_costs,
    sum(contact_cost + discount_cost) filter (where arm = 'treatment' and is_value_final) as cost,
    sum(margin_after - contact_cost) filter (where arm = 'treatment' and is_value_final) as net,
    sum(margin_after) filter (where arm = 'control' and is_value_final) as net_untreated,
    sum(cast(margin_after - contact_cost as decimal(16, 2)) * cast(margin_after - contact_cost as decimal(16, 2)))
        filter (where arm = 'treatment' and is_value_final) as net_squared,
    sum(cast(margin_after as decimal(16, 2)) * cast(margin_after as decimal(16, 2)))
        filter (where arm = 'control' and is_value_final) as net_untreated_squared
    from "warehouse"."intermediate"."int_winback_contacts"
    group by grouping sets (
        (), (campaign), (campaign, offer), (campaign, cause), (campaign, delay), (campaign, offer, cause, delay)
    )
),

figures as (
    select *, round(cast(won_back as double) / nullif(cast(treated as double), 0), 6) as winback_rate,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when treated > 0 and won_back is not null then round(
            least(greatest(
                (
                    cast(won_back as double) + 1.959963984540054 * 1.959963984540054 / 2
                    - 1.959963984540054 * sqrt(cast(won_back as double) * (cast(treated as double) - cast(won_back as double)) / cast(treated as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(treated as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as winback_rate_low,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when treated > 0 and won_back is not null then round(
            least(greatest(
                (
                    cast(won_back as double) + 1.959963984540054 * 1.959963984540054 / 2
                    + 1.959963984540054 * sqrt(cast(won_back as double) * (cast(treated as double) - cast(won_back as double)) / cast(treated as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(treated as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as winback_rate_high,
    round(cast(returned_untreated as double) / nullif(cast(untreated as double), 0), 6) as control_return_rate,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when untreated > 0 and returned_untreated is not null then round(
            least(greatest(
                (
                    cast(returned_untreated as double) + 1.959963984540054 * 1.959963984540054 / 2
                    - 1.959963984540054 * sqrt(cast(returned_untreated as double) * (cast(untreated as double) - cast(returned_untreated as double)) / cast(untreated as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(untreated as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as control_return_rate_low,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when untreated > 0 and returned_untreated is not null then round(
            least(greatest(
                (
                    cast(returned_untreated as double) + 1.959963984540054 * 1.959963984540054 / 2
                    + 1.959963984540054 * sqrt(cast(returned_untreated as double) * (cast(untreated as double) - cast(returned_untreated as double)) / cast(untreated as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(untreated as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as control_return_rate_high,
    case when unknown_costs = 0 then cost end as known_cost,
    case
        when unknown_margins = 0 and unknown_costs = 0 and valued > 0 and valued_untreated > 0
            then cast(net as double) / valued - cast(net_untreated as double) / valued_untreated
    end as profit_per_head,
    -- 1.96 standard errors of a difference of two means of unequal variance (Welch).
    case
        when unknown_margins = 0 and unknown_costs = 0 and valued > 1 and valued_untreated > 1
            then 1.959963984540054 * sqrt(
                greatest(
        cast(net_squared as double) - cast(net as double) * cast(net as double) / valued, 0.0
    ) / valued / (valued - 1)
                + greatest(
        cast(net_untreated_squared as double) - cast(net_untreated as double) * cast(net_untreated as double) / valued_untreated, 0.0
    ) / valued_untreated / (valued_untreated - 1)
            )
    end as profit_margin
    from contacts
    where contacted + controls > 0
)

select
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
    round(winback_rate - control_return_rate, 6) as winback_lift,
    round(
        winback_rate - control_return_rate
        - sqrt(power(winback_rate - winback_rate_low, 2) + power(control_return_rate_high - control_return_rate, 2)), 6) as winback_lift_low,
    round(
        winback_rate - control_return_rate
        + sqrt(power(winback_rate_high - winback_rate, 2) + power(control_return_rate - control_return_rate_low, 2)), 6) as winback_lift_high,
    round(cast(known_cost as double) / nullif(cast(valued_won_back as double), 0), 4) as winback_cost_per_customer,
    cast(known_cost as decimal(18, 4)) as winback_cost_per_customer_numerator,
    valued_won_back as winback_cost_per_customer_denominator,
    round(profit_per_head, 4) as winback_profit_per_head,
    cast(round(profit_per_head * valued, 4) as decimal(18, 4)) as winback_profit_per_head_numerator,
    valued as winback_profit_per_head_denominator,
    round(profit_per_head - profit_margin, 4) as winback_profit_per_head_low,
    round(profit_per_head + profit_margin, 4) as winback_profit_per_head_high
from figures