
    

    create  table
      "warehouse"."intermediate"."int_active_periods__dbt_tmp"
  
    
    as (
      with run as (
    select * from "warehouse"."intermediate"."int_run_context"
),

-- Without a contract: days with activity, apart by more than `inactivity_days` where one period ends.
activity as (
    select
        day.customer_id,
        day.day,
        run.inactivity_days,
        case when cast(day.day - lag(day.day) over by_day as integer) <= run.inactivity_days then 0 else 1 end as begins
    from "warehouse"."intermediate"."int_daily_activity" as day
    cross join run
    where day.is_activity and run.kind in ('transactional', 'hybrid')
    window by_day as (partition by day.customer_id order by day.day)
),

activity_periods as (
    select
        customer_id,
        day,
        inactivity_days,
        sum(begins) over (partition by customer_id order by day rows unbounded preceding) as period
    from activity
),

silence_spans as (
    select
        customer_id,
        min(day) as started_on,
        max(day) as last_active_on,
        (max(day) + cast(max(inactivity_days) as integer)) as ended_on,
        'inactivity' as end_kind
    from activity_periods
    group by customer_id, period
),

-- With a contract: subscriptions of a customer that overlap or touch are one period.
subscriptions as (
    select
        period.*,
        coalesce(period.ended_on, date '9999-12-31') as open_until
    from "warehouse"."intermediate"."int_subscription_periods" as period
    cross join run
    where not period.is_never_active and run.kind in ('subscription', 'hybrid')
),

touching as (
    select
        *,
        case
            when active_from <= (max(open_until) over before + cast(1 as integer)) then 0
            else 1
        end as begins
    from subscriptions
    window before as (
        partition by customer_id order by active_from, subscription_id
        rows between unbounded preceding and 1 preceding
    )
),

subscription_periods as (
    select
        *,
        sum(begins) over (
            partition by customer_id order by active_from, subscription_id rows unbounded preceding
        ) as period
    from touching
),

contract_spans as (
    select
        customer_id,
        min(active_from) as started_on,
        max(open_until) as last_active_on,
        max(open_until) as ended_on,
        -- Of several that end on the last day, a cancellation says most about the customer.
        max_by(
            end_kind,
            (open_until, case end_kind when 'cancelled' then 3 when 'involuntary' then 2 else 1 end)
        ) as end_kind
    from subscription_periods
    group by customer_id, period
),

-- Of a hybrid business both hold: a customer is active while either says so.
spans as (
    select * from silence_spans
    union all
    select * from contract_spans
),

overlapping as (
    select
        *,
        case when started_on <= max(ended_on) over before then 0 else 1 end as begins
    from spans
    window before as (
        partition by customer_id order by started_on, ended_on, end_kind
        rows between unbounded preceding and 1 preceding
    )
),

merged as (
    select
        *,
        sum(begins) over (
            partition by customer_id order by started_on, ended_on, end_kind rows unbounded preceding
        ) as period
    from overlapping
),

periods as (
    select
        customer_id,
        period,
        min(started_on) as started_on,
        max(last_active_on) as last_active_on,
        max(ended_on) as ended_on,
        max_by(end_kind, (ended_on, end_kind)) as end_kind,
        max_by(last_active_on, (ended_on, end_kind)) as last_active_of_end
    from merged
    group by customer_id, period
),

known as (
    select
        periods.customer_id,
        row_number() over (partition by periods.customer_id order by periods.started_on) as period_number,
        min(periods.started_on) over (partition by periods.customer_id) as first_started_on,
        periods.started_on,
        least(periods.last_active_on, run.as_of) as last_active_on,
        case when periods.ended_on <= run.as_of then periods.ended_on end as ended_on,
        case when periods.ended_on <= run.as_of then periods.end_kind end as end_kind,
        case
            when periods.ended_on > run.as_of then null
            when periods.end_kind = 'inactivity' then periods.last_active_of_end
            else periods.ended_on
        end as happened_on,
        run.term_end_is_churn,
        run.early_days
    from periods
    cross join run
    where periods.started_on <= run.as_of
)

select
    customer_id,
    cast(period_number as integer) as period_number,
    started_on,
    last_active_on,
    ended_on,
    end_kind,
    happened_on,
    coalesce(end_kind <> 'term_end' or (end_kind = 'term_end' and term_end_is_churn), false) as is_churn,
    coalesce(
        (end_kind <> 'term_end' or term_end_is_churn)
        and cast(happened_on - first_started_on as integer) <= early_days,
        false
    ) as is_early
from known
    );
    
  