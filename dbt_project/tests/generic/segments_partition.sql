{#- Each segmentation parts exactly the customers that it is about. One row per figure that does not agree. -#}
{% test segments_partition(model) %}
with sums as (
    select
        sum(customers) filter (where dimension = 'all') as all_customers,
        sum(customers) filter (where dimension = 'lifecycle_stage') as in_stages,
        coalesce(sum(customers) filter (where dimension = 'rfm_segment'), 0) as in_rfm,
        coalesce(sum(customers) filter (where dimension = 'value_tier'), 0) as in_value_tiers,
        coalesce(sum(customers) filter (where dimension = 'loyalty_tier'), 0) as in_loyalty_tiers,
        coalesce(sum(customers) filter (where dimension = 'health_band'), 0) as in_health_bands
    from {{ model }}
),

counts as (
    select
        count(*) as customers,
        count(*) filter (where orders_total > 0) as with_orders,
        count(*) filter (where is_active) as active,
        count(*) filter (where is_active and (revenue_365d is not null or subscriptions_active is not null)) as valued,
        count(*) filter (where lifecycle_stage = 'churned') as churned
    from {{ ref('customer_360') }}
)

select concat_ws(
    ', ',
    case when sums.all_customers <> counts.customers or sums.in_stages <> counts.customers then 'lifecycle stages' end,
    case when sums.in_rfm <> counts.with_orders then 'RFM segments' end,
    case when sums.in_value_tiers <> counts.valued then 'value tiers' end,
    case when sums.in_loyalty_tiers <> counts.active then 'loyalty tiers' end,
    case
        when sums.in_health_bands <> (select count(health_score) from {{ ref('customer_health') }})
            or (select count(*) from {{ ref('customer_health') }}) <> counts.active then 'health bands'
    end,
    case when (select count(*) from {{ ref('winback_scores') }}) <> counts.churned then 'former customers' end
) as segmentation
from sums
cross join counts
where segmentation <> ''
{% endtest %}
