with run as (
    select * from {{ ref('int_run_context') }}
),

months as (
    select
        month_start,
        is_complete,
        customer_churn_rate,
        customer_churn_rate_numerator,
        customer_churn_rate_denominator,
        customer_churn_rate_low,
        customer_churn_rate_high,
        customers_reactivated,
        customers_lost,
        {{ add_days(month_end('month_start'), 'run.winback_days') }} <= run.as_of as is_final,
        {{ add_days(month_end('month_start'), 'run.winback_days + run.winback_value_days') }} <= run.as_of as is_value_final,
        {{ add_days(month_end('month_start'), 'run.winback_value_days') }} <= run.as_of as is_return_final
    from {{ ref('kpi_monthly') }}
    cross join run
),

changes as (
    select
        *,
        lag(customer_churn_rate) over by_month as previous_rate,
        lag(customer_churn_rate_low) over by_month as previous_rate_low,
        lag(customer_churn_rate_high) over by_month as previous_rate_high
    from months
    window by_month as (order by month_start)
),

contacts as (
    select
        contacted_month as month_start,
        case when grouping(campaign) = 1 then 'all' else campaign end as campaign,
        {{ winback_sums() }}
    from {{ ref('int_winback_contacts') }}
    group by grouping sets ((contacted_month), (contacted_month, campaign))
),

-- A month without contacts has its line for all campaigns, without a figure.
campaigns as (
    select
        months.month_start, cells.campaign, months.is_final, months.is_value_final,
        contacts.won_back, contacts.treated, contacts.valued, contacts.valued_won_back,
        {{ winback_figures() }}
    from (
        select month_start, campaign from contacts
        union
        select month_start, 'all' from months
    ) as cells
    inner join months on months.month_start = cells.month_start
    left join contacts on contacts.month_start = cells.month_start and contacts.campaign = cells.campaign
),

-- Lifetimes that ended in the month, first ones and those after a return.
lifetimes as (
    select
        {{ month_start('ended_on') }} as month_start,
        percentile_cont(0.5) within group (order by {{ days_between('started_on', 'happened_on') }})
            filter (where period_number = 1) as first_days,
        percentile_cont(0.5) within group (order by {{ days_between('started_on', 'happened_on') }})
            filter (where period_number > 1) as later_days
    from {{ ref('int_active_periods') }}
    where ended_on is not null
    group by 1
),

values_of_returns as (
    select
        {{ month_start('returned_on') }} as month_start,
        count(*) as returns,
        count(*) filter (where margin_before is null or margin_after is null) as unknown_margins,
        sum(margin_before) as before,
        sum(margin_after) as after,
        sum({{ cents('margin_before') }} * {{ cents('margin_before') }}) as xx,
        sum({{ cents('margin_before') }} * {{ cents('margin_after') }}) as xy,
        sum({{ cents('margin_after') }} * {{ cents('margin_after') }}) as yy
    from {{ ref('int_returns') }}
    group by 1
),

evolution as (
    select
        *,
        cast(after as double) / nullif(cast(before as double), 0) as value,
        {{ ratio_of_sums_margin('returns', 'before', 'after', 'xx', 'xy', 'yy') }} as margin
    from values_of_returns
    where unknown_margins = 0
),

indicators as (
    select
        month_start, 1 as indicator, 'attrition' as name, 'all' as campaign, is_complete,
        customer_churn_rate as value,
        cast(customer_churn_rate_numerator as double) as numerator,
        cast(customer_churn_rate_denominator as double) as denominator,
        customer_churn_rate_low as low,
        customer_churn_rate_high as high
    from months

    union all

    select
        month_start, 2, 'winback_rate', campaign, is_final,
        winback_rate, won_back, treated, winback_rate_low, winback_rate_high
    from campaigns

    union all

    select
        months.month_start, 3, 'holding_duration_ratio', 'all', months.is_complete,
        {{ ratio('lifetimes.later_days', 'lifetimes.first_days') }}, lifetimes.later_days, lifetimes.first_days, null, null
    from months
    left join lifetimes on lifetimes.month_start = months.month_start

    union all

    select
        month_start, 4, 'churn_rate_change', 'all', is_complete,
        {{ share_difference('customer_churn_rate', 'previous_rate') }}, null, null,
        {{ share_difference_low('customer_churn_rate', 'previous_rate') }},
        {{ share_difference_high('customer_churn_rate', 'previous_rate') }}
    from changes

    union all

    select
        months.month_start, 5, 'customer_value_ratio', 'all', months.is_return_final,
        round(evolution.value, 6), evolution.after, evolution.before,
        round(evolution.value - evolution.margin, 6), round(evolution.value + evolution.margin, 6)
    from months
    left join evolution on evolution.month_start = months.month_start

    union all

    select
        month_start, 6, 'winback_profit_per_head', campaign, is_value_final,
        round(profit_per_head, 4), round(profit_per_head * valued, 4), valued,
        round(profit_per_head - profit_margin, 4), round(profit_per_head + profit_margin, 4)
    from campaigns

    union all

    select
        month_start, 7, 'winback_cost_per_customer', campaign, is_value_final,
        {{ ratio('known_cost', 'valued_won_back', 4) }}, known_cost, valued_won_back, null, null
    from campaigns

    union all

    select
        month_start, 8, 'attrition_movements', 'all', is_complete,
        customers_reactivated - customers_lost, null, null, null, null
    from months

    union all

    select
        month_start, 9, 'winback_lift', campaign, is_final,
        {{ share_difference('winback_rate', 'control_return_rate') }}, null, null,
        {{ share_difference_low('winback_rate', 'control_return_rate') }},
        {{ share_difference_high('winback_rate', 'control_return_rate') }}
    from campaigns
)

-- What cannot be observed yet is missing, not zero.
select
    month_start,
    cast(indicator as integer) as indicator,
    name,
    campaign,
    is_complete,
    case when is_complete then cast(value as double) end as value,
    case when is_complete then cast(numerator as double) end as numerator,
    case when is_complete then cast(denominator as double) end as denominator,
    case when is_complete then cast(low as double) end as low,
    case when is_complete then cast(high as double) end as high
from indicators
