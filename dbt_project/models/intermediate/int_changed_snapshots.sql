-- Customers of whom earlier observation dates show something else now, and from which day on: the first day on which they
-- did something else, or any day where their record, a period or a subscription is another than at the last build.
{% if is_increment() %}
{% set last = increment()['last_as_of'] %}
with versions as (
    select customer_id, currency from {{ ref('int_subscription_versions') }}
    union
    select customer_id, currency from {{ in_control('before_int_subscription_versions') }}
),

rates as (
    select currency, min(day) as day
    from (
        {{ differing(
            'select currency, day, rate_to_business from ' ~ in_control('before_int_fx_rates'),
            'select currency, day, rate_to_business from ' ~ ref('int_fx_rates') ~ ' where day <= ' ~ last
        ) }}
    )
    group by currency
),

-- What had not happened by the last build is not compared.
{%- set customers = 'select customer_id, customer_key, first_seen_on from ' %}
{%- set periods %}
    select customer_id, period_number, started_on
        {%- for column in ['ended_on', 'end_kind', 'is_churn'] %},
        case when ended_on <= {{ last }} then {{ column }} end as {{ column }}
        {%- endfor %}
    from {% endset %}
{%- set subscriptions %}
    select customer_id, subscription_id, registered_on, active_from, started_on, is_never_active
        {%- for column in ['ended_on', 'end_kind'] %},
        case when ended_on <= {{ last }} then {{ column }} end as {{ column }}
        {%- endfor %},
        case when known_on <= {{ last }} then known_on end as known_on
    from {% endset %}
{%- set changes_of %}
    select * exclude (valid_to, paused_on, cancel_requested_on, cancel_reason, ended_on)
        {%- for date in ['valid_to', 'paused_on', 'cancel_requested_on', 'ended_on'] %},
        case when {{ date }} <= {{ last }} then {{ date }} end as {{ date }}
        {%- endfor %}
    from {% endset %}
touched as (
    select customer_id, day as from_day
    from {{ ref('int_changed_days') }}
    where day <= {{ last }}

    union all

    select customer_id, date '0001-01-01'
    from (
        {{ differing(
            customers ~ in_control('before_int_customers') ~ ' where first_seen_on <= ' ~ last,
            customers ~ ref('int_customers') ~ ' where first_seen_on <= ' ~ last
        ) }}
    )

    union all

    select customer_id, date '0001-01-01'
    from (
        {{ differing(
            periods ~ in_control('before_int_active_periods') ~ ' where started_on <= ' ~ last,
            periods ~ ref('int_active_periods') ~ ' where started_on <= ' ~ last
        ) }}
    )

    union all

    select customer_id, date '0001-01-01'
    from (
        {{ differing(
            subscriptions ~ in_control('before_int_subscription_periods') ~ ' where registered_on <= ' ~ last,
            subscriptions ~ ref('int_subscription_periods') ~ ' where registered_on <= ' ~ last
        ) }}
    )

    union all

    select customer_id, date '0001-01-01'
    from (
        {{ differing(
            changes_of ~ in_control('before_int_subscription_versions') ~ ' where valid_from <= ' ~ last,
            changes_of ~ ref('int_subscription_versions') ~ ' where valid_from <= ' ~ last
        ) }}
    )

    union all

    select versions.customer_id, rates.day
    from versions
    inner join rates on rates.currency = versions.currency
),

earliest as (
    select customer_id, min(from_day) as from_day
    from touched
    group by customer_id
)

select earliest.customer_id, {{ pseudonym('earliest.customer_id') }} as customer_key, earliest.from_day
from earliest
cross join {{ source('control', 'run') }} as run
{% else %}
select customer.customer_id, customer.customer_key, cast(null as date) as from_day
from {{ ref('int_customers') }} as customer
where false
    and customer.customer_id in (select customer_id from {{ ref('int_changed_days') }})
    and customer.customer_id in (select customer_id from {{ ref('int_active_periods') }})
    and customer.customer_id in (select customer_id from {{ ref('int_subscription_periods') }})
    and customer.customer_id in (select customer_id from {{ ref('int_subscription_versions') }})
    and customer.customer_id in (select currency from {{ ref('int_fx_rates') }})
    and customer.first_seen_on in (select as_of from {{ source('control', 'run') }})
{% endif %}
