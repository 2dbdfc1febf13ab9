-- Customers who came back after they had been lost, and what they were worth before and after, in windows of one length.
with run as (
    select * from {{ ref('int_run_context') }}
),

periods as (
    select
        *,
        lag(period_number) over by_period as lost_period,
        lag(started_on) over by_period as first_started,
        lag(ended_on) over by_period as lost_known_on,
        lag(end_kind) over by_period as lost_end_kind,
        lag(is_churn) over by_period as was_churn,
        lag(happened_on) over by_period as lost_on
    from {{ ref('int_active_periods') }}
    window by_period as (partition by customer_id order by period_number)
),

returns as (
    select
        customer_id,
        period_number,
        lost_on,
        started_on as returned_on,
        -- The first day without the customer: silence begins after the last activity.
        case when lost_end_kind = 'inactivity' then {{ add_days('lost_on', 1) }} else lost_on end as gone_from
    from periods
    where was_churn
),

windows as (
    select
        returns.customer_id,
        returns.period_number,
        'before' as side,
        {{ add_days('returns.gone_from', '- run.winback_value_days') }} as first_day,
        returns.gone_from as end_day
    from returns
    cross join run

    union all

    select
        returns.customer_id,
        returns.period_number,
        'after' as side,
        returns.returned_on as first_day,
        {{ add_days('returns.returned_on', 'run.winback_value_days') }} as end_day
    from returns
    cross join run
),

orders as (
    select windows.customer_id, windows.period_number, windows.side, sum(day.revenue) as revenue
    from windows
    inner join {{ ref('int_daily_activity') }} as day
        on day.customer_id = windows.customer_id
        and day.day >= windows.first_day
        and day.day < windows.end_day
    where day.has_orders
    group by windows.customer_id, windows.period_number, windows.side
),

-- A subscription earns a month's value day by day, at the rate of the first of the days; a pause earns nothing.
earned as (
    select
        windows.customer_id,
        windows.period_number,
        windows.side,
        cast(
            round(
                {{ mrr_of('span', rate_of('span', 'fx')) }} * {{ days_between(
                    'greatest(windows.first_day, span.valid_from)',
                    'least(windows.end_day, coalesce(span.valid_to, windows.end_day))'
                ) }} / 30.4375, 4
            ) as decimal(18, 4)
        ) as value
    from windows
    cross join run
    inner join {{ ref('int_mrr_spans') }} as span
        on span.customer_id = windows.customer_id
        and span.state = 'paid'
        and span.valid_from < windows.end_day
        and (span.valid_to is null or span.valid_to > windows.first_day)
    left join {{ ref('int_fx_rates') }} as fx
        on fx.currency = span.currency
        and fx.day = greatest(windows.first_day, span.valid_from)
),

subscriptions as (
    -- One amount without a rate leaves the sum unknown.
    select
        customer_id,
        period_number,
        side,
        sum(value) as revenue,
        count(value) < count(*) as is_unknown
    from earned
    group by customer_id, period_number, side
),

worth as (
    select
        windows.customer_id,
        windows.period_number,
        windows.side,
        case
            when (run.has_order_lines or run.has_subscriptions) and subscriptions.is_unknown is not true
                and windows.end_day <= {{ add_days('run.as_of', 1) }}
                then cast(
                    round(run.gross_margin * (coalesce(orders.revenue, 0) + coalesce(subscriptions.revenue, 0)), 4)
                    as decimal(18, 4)
                )
        end as margin
    from windows
    cross join run
    left join orders
        on orders.customer_id = windows.customer_id
        and orders.period_number = windows.period_number
        and orders.side = windows.side
    left join subscriptions
        on subscriptions.customer_id = windows.customer_id
        and subscriptions.period_number = windows.period_number
        and subscriptions.side = windows.side
)

select
    returns.customer_id,
    cast(returns.period_number as integer) as period_number,
    returns.lost_on,
    returns.returned_on,
    before.margin as margin_before,
    after.margin as margin_after
from returns
inner join worth as before
    on before.customer_id = returns.customer_id
    and before.period_number = returns.period_number
    and before.side = 'before'
inner join worth as after
    on after.customer_id = returns.customer_id
    and after.period_number = returns.period_number
    and after.side = 'after'
