
    
      
    

    create  table
      "warehouse"."marts"."customer_360__dbt_tmp"
  
  (
    customer_key varchar not null,
    as_of date,
    lifecycle_stage varchar,
    is_active boolean,
    is_at_risk boolean,
    has_given_notice boolean,
    active_since date,
    last_active_on date,
    ended_on date,
    end_kind varchar,
    days_since_end integer,
    first_order_on date,
    last_order_on date,
    next_start_on date,
    started_on date,
    country varchar,
    region varchar,
    language varchar,
    acquisition_channel varchar,
    preferred_channel varchar,
    plans varchar,
    rfm_recency integer,
    rfm_frequency integer,
    rfm_monetary integer,
    rfm_segment varchar,
    margin_365d decimal(18,2),
    margin_before_loss_365d decimal(18,2),
    monthly_price_before_loss decimal(18,4),
    tenure_days integer,
    period_number integer,
    days_in_period integer,
    days_since_last_activity integer,
    orders_30d integer,
    orders_90d integer,
    orders_prior_90d integer,
    orders_365d integer,
    orders_total integer,
    revenue_30d decimal(18,4),
    revenue_90d decimal(18,4),
    revenue_365d decimal(18,4),
    revenue_total decimal(18,4),
    average_basket double,
    days_since_last_order integer,
    mean_order_interval_days double,
    overdue_ratio double,
    return_share_365d double,
    usage_days_7d integer,
    usage_days_30d integer,
    usage_days_prior_30d integer,
    usage_events_7d integer,
    usage_events_30d integer,
    usage_events_prior_30d integer,
    usage_change_30d double,
    days_since_last_usage integer,
    usage_features_30d integer,
    events_30d integer,
    help_views_30d integer,
    cancel_views_30d integer,
    subscriptions_active integer,
    subscriptions_total integer,
    days_since_subscription_start integer,
    days_to_contract_end integer,
    monthly_price decimal(18,4),
    tickets_90d integer,
    tickets_open integer,
    last_nps double,
    last_csat double,
    failed_payments_90d integer,
    messages_opened_90d integer,
    unsubscribes_180d integer,
    points_balance bigint,
    month_of_year integer
    
    )
 ;
    
    
    insert into "warehouse"."marts"."customer_360__dbt_tmp" 
  (
    
      
      
      customer_key ,
    
      
      
      as_of ,
    
      
      
      lifecycle_stage ,
    
      
      
      is_active ,
    
      
      
      is_at_risk ,
    
      
      
      has_given_notice ,
    
      
      
      active_since ,
    
      
      
      last_active_on ,
    
      
      
      ended_on ,
    
      
      
      end_kind ,
    
      
      
      days_since_end ,
    
      
      
      first_order_on ,
    
      
      
      last_order_on ,
    
      
      
      next_start_on ,
    
      
      
      started_on ,
    
      
      
      country ,
    
      
      
      region ,
    
      
      
      language ,
    
      
      
      acquisition_channel ,
    
      
      
      preferred_channel ,
    
      
      
      plans ,
    
      
      
      rfm_recency ,
    
      
      
      rfm_frequency ,
    
      
      
      rfm_monetary ,
    
      
      
      rfm_segment ,
    
      
      
      margin_365d ,
    
      
      
      margin_before_loss_365d ,
    
      
      
      monthly_price_before_loss ,
    
      
      
      tenure_days ,
    
      
      
      period_number ,
    
      
      
      days_in_period ,
    
      
      
      days_since_last_activity ,
    
      
      
      orders_30d ,
    
      
      
      orders_90d ,
    
      
      
      orders_prior_90d ,
    
      
      
      orders_365d ,
    
      
      
      orders_total ,
    
      
      
      revenue_30d ,
    
      
      
      revenue_90d ,
    
      
      
      revenue_365d ,
    
      
      
      revenue_total ,
    
      
      
      average_basket ,
    
      
      
      days_since_last_order ,
    
      
      
      mean_order_interval_days ,
    
      
      
      overdue_ratio ,
    
      
      
      return_share_365d ,
    
      
      
      usage_days_7d ,
    
      
      
      usage_days_30d ,
    
      
      
      usage_days_prior_30d ,
    
      
      
      usage_events_7d ,
    
      
      
      usage_events_30d ,
    
      
      
      usage_events_prior_30d ,
    
      
      
      usage_change_30d ,
    
      
      
      days_since_last_usage ,
    
      
      
      usage_features_30d ,
    
      
      
      events_30d ,
    
      
      
      help_views_30d ,
    
      
      
      cancel_views_30d ,
    
      
      
      subscriptions_active ,
    
      
      
      subscriptions_total ,
    
      
      
      days_since_subscription_start ,
    
      
      
      days_to_contract_end ,
    
      
      
      monthly_price ,
    
      
      
      tickets_90d ,
    
      
      
      tickets_open ,
    
      
      
      last_nps ,
    
      
      
      last_csat ,
    
      
      
      failed_payments_90d ,
    
      
      
      messages_opened_90d ,
    
      
      
      unsubscribes_180d ,
    
      
      
      points_balance ,
    
      
      
      month_of_year 
    
  )
 (
      
    select customer_key, as_of, lifecycle_stage, is_active, is_at_risk, has_given_notice, active_since, last_active_on, ended_on, end_kind, days_since_end, first_order_on, last_order_on, next_start_on, started_on, country, region, language, acquisition_channel, preferred_channel, plans, rfm_recency, rfm_frequency, rfm_monetary, rfm_segment, margin_365d, margin_before_loss_365d, monthly_price_before_loss, tenure_days, period_number, days_in_period, days_since_last_activity, orders_30d, orders_90d, orders_prior_90d, orders_365d, orders_total, revenue_30d, revenue_90d, revenue_365d, revenue_total, average_basket, days_since_last_order, mean_order_interval_days, overdue_ratio, return_share_365d, usage_days_7d, usage_days_30d, usage_days_prior_30d, usage_events_7d, usage_events_30d, usage_events_prior_30d, usage_change_30d, days_since_last_usage, usage_features_30d, events_30d, help_views_30d, cancel_views_30d, subscriptions_active, subscriptions_total, days_since_subscription_start, days_to_contract_end, monthly_price, tickets_90d, tickets_open, last_nps, last_csat, failed_payments_90d, messages_opened_90d, unsubscribes_180d, points_balance, month_of_year
    from (
        with run as (
    select * from "warehouse"."intermediate"."int_run_context"
),

snapshot as (
    select snapshot.*
    from "warehouse"."intermediate"."int_customer_snapshots" as snapshot
    inner join run on run.as_of = snapshot.as_of
),

last_period as (
    select *
    from "warehouse"."intermediate"."int_active_periods"
    qualify row_number() over (partition by customer_id order by period_number desc) = 1
),

subscriptions as (
    select
        period.customer_id,
        string_agg(distinct period.plan, '|' order by period.plan) filter (
            where (period.ended_on is null or period.ended_on > run.as_of) and period.active_from <= run.as_of
        ) as plans,
        min(period.started_on) filter (
            where period.started_on > run.as_of and not period.is_never_active
        ) as next_start_on,
        bool_or(
            period.started_on <= run.as_of and period.active_from > run.as_of and not period.is_never_active
        ) as is_on_trial,
        bool_or(period.end_kind = 'cancelled_before_start') as has_cancelled_before_start,
        bool_or(period.end_kind = 'trial_not_converted') as has_left_trial
    from "warehouse"."intermediate"."int_subscription_periods" as period
    cross join run
    group by period.customer_id
),

last_loss as (
    select customer_key, period_number, mrr_lost
    from "warehouse"."marts"."fct_churn_events"
    where period_number is not null
),

-- Of the year that ended with the last sign of life: what the customer was worth before silence.
before_loss as (
    select day.customer_id, sum(day.revenue) as revenue
    from "warehouse"."intermediate"."int_daily_activity" as day
    inner join snapshot on snapshot.customer_id = day.customer_id
    left join last_period on last_period.customer_id = day.customer_id
    where day.day > (coalesce(snapshot.last_activity_on, last_period.last_active_on) + cast(-365 as integer)) and day.day <= coalesce(snapshot.last_activity_on, last_period.last_active_on)
    group by day.customer_id
),

-- Equal values get equal scores: the score tells in which fifth the first of them stands.
rfm as (
    select
        customer_id,
        ((5 * (rank() over (order by days_since_last_order desc) - 1)) // (count(*) over ())) + 1 as rfm_recency,
        ((5 * (rank() over (order by orders_total) - 1)) // (count(*) over ())) + 1 as rfm_frequency,
        ((5 * (rank() over (order by revenue_total) - 1)) // (count(*) over ())) + 1 as rfm_monetary
    from snapshot
    where orders_total > 0
),

rfm_scores as (
    select
        *,
        ((rfm_frequency + rfm_monetary + 1) // (2)) as value_score
    from rfm
),

described as (
    select
        snapshot.*,
        customer.country,
        customer.region,
        customer.language,
        customer.acquisition_channel,
        customer.preferred_channel,
        last_period.period_number as last_period_number,
        last_period.started_on as last_started_on,
        coalesce(snapshot.last_activity_on, last_period.last_active_on) as last_active_on,
        last_period.ended_on,
        last_period.end_kind,
        last_period.is_churn,
        subscriptions.plans,
        subscriptions.next_start_on,
        coalesce(subscriptions.is_on_trial, false) as is_on_trial,
        coalesce(subscriptions.has_cancelled_before_start, false) as has_cancelled_before_start,
        coalesce(subscriptions.has_left_trial, false) as has_left_trial,
        rfm.rfm_recency,
        rfm.rfm_frequency,
        rfm.rfm_monetary,
        rfm.value_score,
        before_loss.revenue as revenue_before_loss,
        last_loss.mrr_lost as monthly_price_before_loss,
        snapshot.is_active and coalesce(
            (run.kind in ('transactional', 'hybrid') and 2 * snapshot.days_since_last_activity > run.inactivity_days)
            or (run.kind in ('subscription', 'hybrid') and snapshot.usage_change_30d <= -0.2),
            false
        ) as is_at_risk,
        run.gross_margin,
        run.has_order_lines
    from snapshot
    cross join run
    inner join "warehouse"."intermediate"."int_customers" as customer on customer.customer_id = snapshot.customer_id
    left join last_period on last_period.customer_id = snapshot.customer_id
    left join subscriptions on subscriptions.customer_id = snapshot.customer_id
    left join rfm_scores as rfm on rfm.customer_id = snapshot.customer_id
    left join before_loss on before_loss.customer_id = snapshot.customer_id
    left join last_loss
        on last_loss.customer_key = snapshot.customer_key
        and last_loss.period_number = last_period.period_number
)

select
    customer_key,
    as_of,
    case
        when is_active and days_in_period < 30 and last_period_number > 1 then 'reactivated'
        when is_active and days_in_period < 30 then 'new'
        when is_at_risk then 'at_risk'
        when is_active then 'active'
        when is_on_trial then 'trial'
        when next_start_on is not null then 'pending'
        when last_period_number is not null and not is_churn then 'completed'
        when last_period_number is not null then 'churned'
        when has_left_trial then 'trial_not_converted'
        when has_cancelled_before_start then 'cancelled_before_start'
        else 'prospect'
    end as lifecycle_stage,
    is_active,
    is_at_risk,
    has_given_notice,
    period_started_on as active_since,
    last_active_on,
    ended_on,
    end_kind,
    cast(as_of - ended_on as integer) as days_since_end,
    first_order_on,
    last_order_on,
    next_start_on,
    subscription_started_on as started_on,
    country,
    region,
    language,
    acquisition_channel,
    preferred_channel,
    plans,
    cast(rfm_recency as integer) as rfm_recency,
    cast(rfm_frequency as integer) as rfm_frequency,
    cast(rfm_monetary as integer) as rfm_monetary,
    -- Names after the recency and the mean of frequency and money, rounded up.
    case
        when rfm_recency is null then null
        when rfm_recency >= 4 and value_score >= 4 then 'champions'
        when rfm_recency >= 3 and value_score >= 4 then 'loyal'
        when rfm_recency >= 4 and value_score >= 2 then 'potential_loyalists'
        when rfm_recency >= 4 then 'new_customers'
        when rfm_recency = 3 and value_score = 3 then 'need_attention'
        when rfm_recency = 3 then 'about_to_sleep'
        when rfm_recency = 1 and value_score = 5 then 'cannot_lose'
        when value_score >= 3 then 'slipping_away'
        when rfm_recency = 2 then 'hibernating'
        else 'lost'
    end as rfm_segment,
    cast(round(gross_margin * revenue_365d, 2) as decimal(18, 2)) as margin_365d,
    case
        when has_order_lines
            then cast(round(gross_margin * coalesce(revenue_before_loss, 0), 2) as decimal(18, 2))
    end as margin_before_loss_365d,
    monthly_price_before_loss,
    tenure_days,
    last_period_number as period_number,
    days_in_period,
    days_since_last_activity,
    orders_30d,
    orders_90d,
    orders_prior_90d,
    orders_365d,
    orders_total,
    revenue_30d,
    revenue_90d,
    revenue_365d,
    revenue_total,
    average_basket,
    days_since_last_order,
    mean_order_interval_days,
    overdue_ratio,
    return_share_365d,
    usage_days_7d,
    usage_days_30d,
    usage_days_prior_30d,
    usage_events_7d,
    usage_events_30d,
    usage_events_prior_30d,
    usage_change_30d,
    days_since_last_usage,
    usage_features_30d,
    events_30d,
    help_views_30d,
    cancel_views_30d,
    subscriptions_active,
    subscriptions_total,
    days_since_subscription_start,
    days_to_contract_end,
    monthly_price,
    tickets_90d,
    tickets_open,
    last_nps,
    last_csat,
    failed_payments_90d,
    messages_opened_90d,
    unsubscribes_180d,
    points_balance,
    month_of_year
from described
    ) as model_subq
    );
  