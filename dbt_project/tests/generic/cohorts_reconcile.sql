{#-
  The cohorts add up: their sizes to the customers who ever came, who is retained to the closing sets of the months, their
  revenue to that of their customers, and the segments to all. One row per figure that does not.
-#}
{% test cohorts_reconcile(model) %}
with cells as (
    select *, {{ period_at('cohort_unit', 'cohort_start', 'age + 1') }} as next_period_start
    from {{ model }}
),

people as (
    select 'first_active' as cohort_kind, customer_id, first_active_on as first_on from {{ ref('int_cohort_members') }}
    union all
    select 'first_purchase', customer_id, first_purchase_on from {{ ref('int_cohort_members') }}
),

totals as (
    select
        people.cohort_kind,
        count(*) as customers
    from people
    where people.first_on is not null
    group by people.cohort_kind
),

revenues as (
    select people.cohort_kind, {{ month_start('day.day') }} as month_start, sum(day.revenue) as revenue
    from {{ ref('int_daily_activity') }} as day
    inner join people
        on people.customer_id = day.customer_id
        and day.day >= {{ month_start('people.first_on') }}
    group by 1, 2
),

cohort_revenues as (
    select cohort_kind, period_start as month_start, sum(revenue) as revenue
    from cells
    where cohort_unit = 'month' and dimension = 'all'
    group by cohort_kind, period_start
    having count(revenue) > 0
),

months as (
    select period_start as month_start, sum(retained) as retained
    from cells
    where cohort_unit = 'month' and dimension = 'all' and cohort_kind = 'first_active'
    group by period_start
    having count(retained) > 0
)

select 'the cohorts have all customers' as figure
from totals
left join (
    select cohort_kind, sum(cohort_size) as customers
    from cells
    where cohort_unit = 'month' and dimension = 'all' and age = 0
    group by cohort_kind
) as sizes on sizes.cohort_kind = totals.cohort_kind
where sizes.customers is distinct from totals.customers

union all

select 'the cohorts of a day are its new customers'
from cells
inner join {{ ref('kpi_daily') }} as daily on daily.day = cells.cohort_start
where cells.cohort_kind = 'first_active' and cells.cohort_unit = 'day' and cells.age = 0
    and cells.cohort_size <> daily.customers_new

union all

select 'who is retained is the closing set'
from months
inner join {{ ref('kpi_monthly') }} as monthly on monthly.month_start = months.month_start
where monthly.is_complete and months.retained <> monthly.customers_closing

union all

select 'the revenue of the cohorts is that of their customers'
from cohort_revenues
left join revenues
    on revenues.cohort_kind = cohort_revenues.cohort_kind and revenues.month_start = cohort_revenues.month_start
where coalesce(revenues.revenue, 0) <> cohort_revenues.revenue

union all

select 'the segments add up to all'
from (
    select
        cohort_kind, cohort_unit, dimension, cohort_start, age,
        sum(cohort_size) as cohort_size,
        sum(retained) as retained,
        sum(classic_retention_rate_numerator) as active,
        sum(unbounded_retention_rate_numerator) as active_or_later,
        sum(cumulative_revenue) as cumulative_revenue
    from cells
    where dimension <> 'all'
    group by cohort_kind, cohort_unit, dimension, cohort_start, age
) as segments
inner join cells
    on cells.cohort_kind = segments.cohort_kind
    and cells.cohort_unit = segments.cohort_unit
    and cells.dimension = 'all'
    and cells.cohort_start = segments.cohort_start
    and cells.age = segments.age
where cells.cohort_size <> segments.cohort_size
    or cells.retained <> segments.retained
    or cells.classic_retention_rate_numerator <> segments.active
    or cells.unbounded_retention_rate_numerator <> segments.active_or_later
    or cells.cumulative_revenue <> segments.cumulative_revenue
{% endtest %}
