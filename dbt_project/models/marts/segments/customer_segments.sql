with run as (
    select * from {{ ref('int_run_context') }}
),

snapshot as (
    select snapshot.*
    from {{ ref('int_customer_snapshots') }} as snapshot
    inner join run on run.as_of = snapshot.as_of
),

-- Equal values get equal scores: the score tells in which fifth the first of them stands.
rfm as (
    select
        customer_id,
        {{ quintile('days_since_last_order desc') }} as rfm_recency,
        {{ quintile('orders_total') }} as rfm_frequency,
        {{ quintile('revenue_total') }} as rfm_monetary
    from snapshot
    where orders_total > 0
),

rfm_scores as (
    select
        *,
        {{ int_div('rfm_frequency + rfm_monetary + 1', 2) }} as value_score
    from rfm
),

last_active as (
    select customer_id, max_by(last_active_on, period_number) as last_active_on
    from {{ ref('int_active_periods') }}
    group by customer_id
),

-- Of the year that ended with the last sign of life: what the customer was worth before silence.
before_loss as (
    select day.customer_id, sum(day.revenue) as revenue
    from {{ ref('int_daily_activity') }} as day
    inner join snapshot on snapshot.customer_id = day.customer_id
    left join last_active on last_active.customer_id = day.customer_id
    where {{ in_last('day.day', 'coalesce(snapshot.last_activity_on, last_active.last_active_on)', 365) }}
    group by day.customer_id
),

-- What a year brings at the present rate: orders of the last 365 days and twelve months of what runs.
worth as (
    select
        snapshot.customer_id,
        case
            when run.has_order_lines or run.has_subscriptions
                then cast(round(
                    run.gross_margin * (
                        coalesce(snapshot.revenue_365d, 0) + 12 * coalesce(snapshot.monthly_price, 0)
                    ), 2
                ) as decimal(18, 2))
        end as annual_margin
    from snapshot
    cross join run
    where snapshot.is_active
),

places as (
    select
        customer_id,
        annual_margin,
        rank() over (order by annual_margin desc) - 1 as more_valuable,
        count(*) over () as customers
    from worth
    where annual_margin is not null
),

-- A tier holds places from the shares of those before it to these and its own; the last one the rest.
tier_shares as (
    select
        name,
        coalesce(
            sum(cast(level as decimal(18, 9))) over (order by place rows between unbounded preceding and 1 preceding), 0
        ) as share_from,
        case
            when place < max(place) over ()
                then sum(cast(level as decimal(18, 9))) over (order by place rows unbounded preceding)
        end as share_until
    from {{ ref('int_score_settings') }}
    where setting = 'value_tier'
),

value_tiers as (
    select places.customer_id, tier.name as value_tier
    from places
    inner join tier_shares as tier
        on case
            when places.annual_margin > 0
                then places.more_valuable >= tier.share_from * places.customers
                    and (tier.share_until is null or places.more_valuable < tier.share_until * places.customers)
            else tier.share_until is null
        end
),

loyalty_levels as (
    select name, place, level as points, tenure_days, orders
    from {{ ref('int_score_settings') }}
    where setting = 'loyalty_tier'
),

-- The highest level whose demands are met; the lowest asks for nothing.
loyalty_places as (
    select snapshot.customer_id, max(loyalty.place) as place
    from snapshot
    cross join run
    inner join loyalty_levels as loyalty
        on case
            when run.has_loyalty then loyalty.points <= greatest(snapshot.points_balance, 0)
            else loyalty.tenure_days <= snapshot.tenure_days
                and (not run.has_order_lines or loyalty.orders <= snapshot.orders_total)
        end
    where snapshot.is_active
    group by snapshot.customer_id
),

-- Rates added up to each day: those of the days of a span are the difference of two of them.
rates as (
    select
        currency,
        day,
        rate_to_business,
        sum(rate_to_business) over (partition by currency order by day rows unbounded preceding) as rates_so_far
    from {{ ref('int_fx_rates') }}
),

-- A price is paid for on each day of its span, at the rate of the day.
spans as (
    select
        span.customer_id,
        {{ mrr_of('span', '1') }} as price,
        cast(
            case
                when span.currency = run.currency
                    then {{ days_between('span.valid_from', 'coalesce(span.valid_to, ' ~ add_days('run.as_of', 1) ~ ')') }}
                else last_day.rates_so_far - first_day.rates_so_far + first_day.rate_to_business
            end as decimal(18, 8)
        ) as days
    from {{ ref('int_mrr_spans') }} as span
    cross join run
    left join rates as first_day on first_day.currency = span.currency and first_day.day = span.valid_from
    left join rates as last_day
        on last_day.currency = span.currency
        and last_day.day = {{ add_days('coalesce(span.valid_to, ' ~ add_days('run.as_of', 1) ~ ')', -1) }}
    where span.state = 'paid'
),

paid as (
    select customer_id, {{ known_sum('price * days') }} as price_days
    from spans
    group by customer_id
)

select
    snapshot.customer_key,
    snapshot.as_of,
    snapshot.is_active,
    cast(rfm.rfm_recency as integer) as rfm_recency,
    cast(rfm.rfm_frequency as integer) as rfm_frequency,
    cast(rfm.rfm_monetary as integer) as rfm_monetary,
    -- Names after the recency and the mean of frequency and money, rounded up.
    case
        when rfm.rfm_recency is null then null
        when rfm.rfm_recency >= 4 and rfm.value_score >= 4 then 'champions'
        when rfm.rfm_recency >= 3 and rfm.value_score >= 4 then 'loyal'
        when rfm.rfm_recency >= 4 and rfm.value_score >= 2 then 'potential_loyalists'
        when rfm.rfm_recency >= 4 then 'new_customers'
        when rfm.rfm_recency = 3 and rfm.value_score = 3 then 'need_attention'
        when rfm.rfm_recency = 3 then 'about_to_sleep'
        when rfm.rfm_recency = 1 and rfm.value_score = 5 then 'cannot_lose'
        when rfm.value_score >= 3 then 'slipping_away'
        when rfm.rfm_recency = 2 then 'hibernating'
        else 'lost'
    end as rfm_segment,
    worth.annual_margin,
    value_tiers.value_tier,
    loyalty_levels.name as loyalty_tier,
    {{ if_fed('loyalty', 'coalesce(points.points_expiring_30d, 0)') }} as loyalty_points_expiring_30d,
    {{ if_fed('order_lines', 'cast(round(run.gross_margin * coalesce(before_loss.revenue, 0), 2) as decimal(18, 2))') }}
        as margin_before_loss_365d,
    case
        when (run.has_order_lines or run.has_subscriptions) and (paid.customer_id is null or paid.price_days is not null)
            then cast(round(
                run.gross_margin
                * (coalesce(snapshot.revenue_total, 0) + coalesce(paid.price_days, 0) * 12 / 365.25), 2
            ) as decimal(18, 2))
    end as clv_historic
from snapshot
cross join run
left join rfm_scores as rfm on rfm.customer_id = snapshot.customer_id
left join worth on worth.customer_id = snapshot.customer_id
left join value_tiers on value_tiers.customer_id = snapshot.customer_id
left join loyalty_places on loyalty_places.customer_id = snapshot.customer_id
left join loyalty_levels on loyalty_levels.place = loyalty_places.place
left join {{ ref('int_customer_signals') }} as points on points.customer_id = snapshot.customer_id
left join before_loss on before_loss.customer_id = snapshot.customer_id
left join paid on paid.customer_id = snapshot.customer_id
