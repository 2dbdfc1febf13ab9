{%- set key = [
    'currency', 'interval_price', 'interval_discount', 'months_numerator', 'months_denominator', 'state',
    'is_scheduled_to_cancel'
] -%}
{%- set movements = ['new', 'expansion', 'contraction', 'churned', 'reactivation', 'paused', 'resumed'] %}
-- Stocks are counted by price and valued at each day's rate, movements come from the customers: that both agree is tested.
with run as (
    select * from {{ ref('int_run_context') }}
),

bounds as (
    select
        least(run.first_day, (select min(valid_from) from {{ ref('int_mrr_spans') }})) as first_day,
        run.as_of as last_day
    from run
    where run.has_subscriptions
),

days as (
    {{ day_spine('first_day', 'last_day', 'bounds') }}
),

steps as (
    select {{ key | join(', ') }}, day, sum(step) as step
    from (
        select {{ key | join(', ') }}, valid_from as day, 1 as step from {{ ref('int_mrr_spans') }}
        union all
        select {{ key | join(', ') }}, valid_to, -1 from {{ ref('int_mrr_spans') }} where valid_to is not null
    ) as steps
    where state in ('paid', 'paused') and interval_price > interval_discount
    group by {{ key | join(', ') }}, day
    having sum(step) <> 0
),

-- In business currency a price has one value for ever: only its steps are added up.
at_home as (
    select
        steps.day,
        sum(case when state = 'paid' then step else 0 end) as subscriptions,
        {%- for stock, condition in {
            'closing': "state = 'paid'",
            'on_pause': "state = 'paused'",
            'scheduled_to_cancel': "state = 'paid' and is_scheduled_to_cancel"
        }.items() %}
        sum(
            case
                when steps.currency = run.currency and {{ condition }} then step * {{ mrr_of('steps', '1') }}
                else 0
            end
        ) as {{ stock }}{{ ',' if not loop.last }}
        {%- endfor %}
    from steps
    cross join run
    group by steps.day
),

counts as (
    select
        steps.*,
        sum(steps.step) over by_day as subscriptions,
        lead(steps.day) over by_day as next_day
    from steps
    cross join run
    where steps.currency <> run.currency
    window by_day as (partition by {% for column in key %}steps.{{ column }}{{ ', ' if not loop.last }}{% endfor %} order by steps.day)
),

-- Each day of a count, and the day on which it ends: what was open the day before is taken to that day's rate too.
abroad as (
    select
        counts.*,
        {{ each_day('counts.day', 'coalesce(counts.next_day, run.as_of)') }} as valued_on
    from counts
    cross join run
    where counts.subscriptions > 0
),

values_abroad as (
    select
        abroad.valued_on as day,
        {{ known_sum("case when abroad.state = 'paid' and " ~ "(next_day is null or valued_on < next_day)"
            ~ " then subscriptions * " ~ mrr_of('abroad', 'fx.rate_to_business') ~ " else 0 end") }} as closing,
        {{ known_sum("case when abroad.state = 'paused' and " ~ "(next_day is null or valued_on < next_day)"
            ~ " then subscriptions * " ~ mrr_of('abroad', 'fx.rate_to_business') ~ " else 0 end") }} as on_pause,
        {{ known_sum("case when abroad.state = 'paid' and is_scheduled_to_cancel and "
            ~ "(next_day is null or valued_on < next_day)"
            ~ " then subscriptions * " ~ mrr_of('abroad', 'fx.rate_to_business') ~ " else 0 end") }}
            as scheduled_to_cancel,
        {{ known_sum("case when abroad.state = 'paid' and valued_on > abroad.day then subscriptions * ("
            ~ mrr_of('abroad', 'fx.rate_to_business') ~ " - " ~ mrr_of('abroad', 'before.rate_to_business')
            ~ ") else 0 end") }} as fx
    from abroad
    left join {{ ref('int_fx_rates') }} as fx on fx.currency = abroad.currency and fx.day = abroad.valued_on
    left join {{ ref('int_fx_rates') }} as before
        on before.currency = abroad.currency and before.day = {{ add_days('abroad.valued_on', -1) }}
    group by abroad.valued_on
),

flows as (
    select
        day,
        {%- for movement in movements %}
        {{ known_sum(movement) }} as {{ movement }},
        {%- endfor %}
        {{ known_sum('churned_in_pause') }} as churned_in_pause,
        {{ known_sum("case when end_kind = 'involuntary' then churned else 0 end") }} as churned_involuntary,
        sum(case standing_after when 'paid' then 1 else 0 end - case standing_before when 'paid' then 1 else 0 end)
            as customers_paying,
        sum(case standing_after when 'paused' then 1 else 0 end - case standing_before when 'paused' then 1 else 0 end)
            as customers_paused
    from {{ ref('int_mrr_changes') }}
    group by day
),

stocks as (
    select
        days.day,
        {%- for stock in ['closing', 'on_pause', 'scheduled_to_cancel'] %}
        sum(coalesce(at_home.{{ stock }}, 0)) over so_far
        + case when values_abroad.day is null then 0 else values_abroad.{{ stock }} end as {{ stock }},
        {%- endfor %}
        case when values_abroad.day is null then 0 else values_abroad.fx end as fx,
        {%- for movement in movements + ['churned_in_pause', 'churned_involuntary'] %}
        case when flows.day is null then 0 else flows.{{ movement }} end as {{ movement }},
        {%- endfor %}
        sum(coalesce(at_home.subscriptions, 0)) over so_far as subscriptions,
        sum(coalesce(flows.customers_paying, 0)) over so_far as customers_paying,
        sum(coalesce(flows.customers_paused, 0)) over so_far as customers_paused
    from days
    left join at_home on at_home.day = days.day
    left join values_abroad on values_abroad.day = days.day
    left join flows on flows.day = days.day
    window so_far as (order by days.day rows unbounded preceding)
)

select
    day,
    cast(case when lag(day) over by_day is null then 0 else lag(closing) over by_day end as decimal(18, 4))
        as mrr_opening,
    {%- for movement in movements + ['fx', 'closing'] %}
    cast({{ movement }} as decimal(18, 4)) as mrr_{{ movement }},
    {%- endfor %}
    cast(12 * closing as decimal(18, 4)) as arr,
    cast(scheduled_to_cancel as decimal(18, 4)) as mrr_scheduled_to_cancel,
    cast(on_pause as decimal(18, 4)) as mrr_on_pause,
    cast(churned - churned_involuntary as decimal(18, 4)) as mrr_churned_voluntary,
    cast(churned_involuntary as decimal(18, 4)) as mrr_churned_involuntary,
    cast(churned_in_pause as decimal(18, 4)) as mrr_churned_in_pause,
    cast(customers_paying as bigint) as paying_customers,
    cast(customers_paused as bigint) as paused_customers,
    cast(subscriptions as bigint) as paying_subscriptions
from stocks
window by_day as (order by day)
