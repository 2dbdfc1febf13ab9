
    
      
    

    create  table
      "warehouse"."marts"."customer_features__dbt_tmp"
  
  (
    as_of date not null,
    customer_key varchar not null,
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
    month_of_year integer,
    has_given_notice boolean
    
    )
 ;
    
    
    insert into "warehouse"."marts"."customer_features__dbt_tmp" 
  (
    
      
      
      as_of ,
    
      
      
      customer_key ,
    
      
      
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
    
      
      
      month_of_year ,
    
      
      
      has_given_notice 
    
  )
 (
      
    select as_of, customer_key, tenure_days, period_number, days_in_period, days_since_last_activity, orders_30d, orders_90d, orders_prior_90d, orders_365d, orders_total, revenue_30d, revenue_90d, revenue_365d, revenue_total, average_basket, days_since_last_order, mean_order_interval_days, overdue_ratio, return_share_365d, usage_days_7d, usage_days_30d, usage_days_prior_30d, usage_events_7d, usage_events_30d, usage_events_prior_30d, usage_change_30d, days_since_last_usage, usage_features_30d, events_30d, help_views_30d, cancel_views_30d, subscriptions_active, subscriptions_total, days_since_subscription_start, days_to_contract_end, monthly_price, tickets_90d, tickets_open, last_nps, last_csat, failed_payments_90d, messages_opened_90d, unsubscribes_180d, points_balance, month_of_year, has_given_notice
    from (
        select
    as_of,
    customer_key,
    tenure_days,
    period_number,
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
    month_of_year,
    has_given_notice
from "warehouse"."intermediate"."int_customer_snapshots"
where is_active
    ) as model_subq
    );
  