-- Written by retention_pipeline.metrics.models from the YAML of the marts; change those, not this file.
select
    mart.month_start as day,
    'month' as period,
    figure.metric,
    'all' as dimension,
    'all' as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    mart.is_complete as is_complete,
    'churn_by_rhythm' as mart
from {{ ref('churn_by_rhythm') }} as mart
cross join lateral (values
    ('customers_opening_by_rhythm', cast(mart.customers_opening_by_rhythm as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_joining_by_rhythm', cast(mart.customers_joining_by_rhythm as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_lost_by_rhythm', cast(mart.customers_lost_by_rhythm as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_closing_by_rhythm', cast(mart.customers_closing_by_rhythm as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('churn_rate_by_rhythm', cast(mart.churn_rate_by_rhythm as double), cast(mart.churn_rate_by_rhythm_numerator as decimal(38, 6)), cast(mart.churn_rate_by_rhythm_denominator as decimal(38, 6)), cast(mart.churn_rate_by_rhythm_low as double), cast(mart.churn_rate_by_rhythm_high as double)),
    ('customers_opening_by_window', cast(mart.customers_opening_by_window as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_joining_by_window', cast(mart.customers_joining_by_window as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_lost_by_window', cast(mart.customers_lost_by_window as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_closing_by_window', cast(mart.customers_closing_by_window as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('churn_rate_by_window', cast(mart.churn_rate_by_window as double), cast(mart.churn_rate_by_window_numerator as decimal(38, 6)), cast(mart.churn_rate_by_window_denominator as decimal(38, 6)), cast(mart.churn_rate_by_window_low as double), cast(mart.churn_rate_by_window_high as double)),
    ('own_rhythm_share', cast(mart.own_rhythm_share as double), cast(mart.own_rhythm_share_numerator as decimal(38, 6)), cast(mart.own_rhythm_share_denominator as decimal(38, 6)), cast(mart.own_rhythm_share_low as double), cast(mart.own_rhythm_share_high as double)),
    ('median_purchase_interval_days', cast(mart.median_purchase_interval_days as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mean_purchase_interval_days', cast(mart.mean_purchase_interval_days as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.month_start as day,
    'month' as period,
    figure.metric,
    coalesce(nullif(concat_ws(' / ', case when mart.cause is distinct from 'all' then 'cause' end), ''), 'all') as dimension,
    coalesce(nullif(concat_ws(' / ', nullif(coalesce(cast(mart.cause as varchar), '(unknown)'), 'all')), ''), 'all') as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    mart.is_complete as is_complete,
    'churn_causes_monthly' as mart
from {{ ref('churn_causes_monthly') }} as mart
cross join lateral (values
    ('churn_events', cast(mart.churn_events as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('churn_cause_share', cast(mart.churn_cause_share as double), cast(mart.churn_cause_share_numerator as decimal(38, 6)), cast(mart.churn_cause_share_denominator as decimal(38, 6)), cast(mart.churn_cause_share_low as double), cast(mart.churn_cause_share_high as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.cohort_start as day,
    'cohort' as period,
    figure.metric,
    mart.dimension as dimension,
    mart.segment as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    true as is_complete,
    'cohort_milestones' as mart
from {{ ref('cohort_milestones') }} as mart
cross join lateral (values
    (mart.metric, cast(mart.value as double), cast(mart.numerator as decimal(38, 6)), cast(mart.denominator as decimal(38, 6)), cast(mart.low as double), cast(mart.high as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.month_start as day,
    'month' as period,
    figure.metric,
    'all' as dimension,
    'all' as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    mart.is_complete as is_complete,
    'csat_ces_monthly' as mart
from {{ ref('csat_ces_monthly') }} as mart
cross join lateral (values
    ('csat', cast(mart.csat as double), cast(mart.csat_numerator as decimal(38, 6)), cast(mart.csat_denominator as decimal(38, 6)), cast(mart.csat_low as double), cast(mart.csat_high as double)),
    ('csat_response_rate', cast(mart.csat_response_rate as double), cast(mart.csat_response_rate_numerator as decimal(38, 6)), cast(mart.csat_response_rate_denominator as decimal(38, 6)), cast(mart.csat_response_rate_low as double), cast(mart.csat_response_rate_high as double)),
    ('ticket_csat', cast(mart.ticket_csat as double), cast(mart.ticket_csat_numerator as decimal(38, 6)), cast(mart.ticket_csat_denominator as decimal(38, 6)), cast(mart.ticket_csat_low as double), cast(mart.ticket_csat_high as double)),
    ('ces', cast(mart.ces as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('ces_easy_rate', cast(mart.ces_easy_rate as double), cast(mart.ces_easy_rate_numerator as decimal(38, 6)), cast(mart.ces_easy_rate_denominator as decimal(38, 6)), cast(mart.ces_easy_rate_low as double), cast(mart.ces_easy_rate_high as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.month_start as day,
    'month' as period,
    figure.metric,
    coalesce(nullif(concat_ws(' / ', case when mart.channel is distinct from 'all' then 'channel' end), ''), 'all') as dimension,
    coalesce(nullif(concat_ws(' / ', nullif(coalesce(cast(mart.channel as varchar), '(unknown)'), 'all')), ''), 'all') as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    mart.is_complete as is_complete,
    'email_monthly' as mart
from {{ ref('email_monthly') }} as mart
cross join lateral (values
    ('delivery_rate', cast(mart.delivery_rate as double), cast(mart.delivery_rate_numerator as decimal(38, 6)), cast(mart.delivery_rate_denominator as decimal(38, 6)), cast(mart.delivery_rate_low as double), cast(mart.delivery_rate_high as double)),
    ('bounce_rate', cast(mart.bounce_rate as double), cast(mart.bounce_rate_numerator as decimal(38, 6)), cast(mart.bounce_rate_denominator as decimal(38, 6)), cast(mart.bounce_rate_low as double), cast(mart.bounce_rate_high as double)),
    ('open_rate', cast(mart.open_rate as double), cast(mart.open_rate_numerator as decimal(38, 6)), cast(mart.open_rate_denominator as decimal(38, 6)), cast(mart.open_rate_low as double), cast(mart.open_rate_high as double)),
    ('open_rate_all', cast(mart.open_rate_all as double), cast(mart.open_rate_all_numerator as decimal(38, 6)), cast(mart.open_rate_all_denominator as decimal(38, 6)), cast(mart.open_rate_all_low as double), cast(mart.open_rate_all_high as double)),
    ('click_rate', cast(mart.click_rate as double), cast(mart.click_rate_numerator as decimal(38, 6)), cast(mart.click_rate_denominator as decimal(38, 6)), cast(mart.click_rate_low as double), cast(mart.click_rate_high as double)),
    ('click_to_open_rate', cast(mart.click_to_open_rate as double), cast(mart.click_to_open_rate_numerator as decimal(38, 6)), cast(mart.click_to_open_rate_denominator as decimal(38, 6)), cast(mart.click_to_open_rate_low as double), cast(mart.click_to_open_rate_high as double)),
    ('unsubscribe_rate', cast(mart.unsubscribe_rate as double), cast(mart.unsubscribe_rate_numerator as decimal(38, 6)), cast(mart.unsubscribe_rate_denominator as decimal(38, 6)), cast(mart.unsubscribe_rate_low as double), cast(mart.unsubscribe_rate_high as double)),
    ('conversion_rate', cast(mart.conversion_rate as double), cast(mart.conversion_rate_numerator as decimal(38, 6)), cast(mart.conversion_rate_denominator as decimal(38, 6)), cast(mart.conversion_rate_low as double), cast(mart.conversion_rate_high as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.day as day,
    'day' as period,
    figure.metric,
    'all' as dimension,
    'all' as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    true as is_complete,
    'kpi_daily' as mart
from {{ ref('kpi_daily') }} as mart
cross join lateral (values
    ('customers_active', cast(mart.customers_active as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_new', cast(mart.customers_new as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_reactivated', cast(mart.customers_reactivated as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_lost', cast(mart.customers_lost as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_completed', cast(mart.customers_completed as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('orders', cast(mart.orders as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('revenue', cast(mart.revenue as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_using', cast(mart.customers_using as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('usage_events', cast(mart.usage_events as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('daily_active_customers', cast(mart.daily_active_customers as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('monthly_active_customers', cast(mart.monthly_active_customers as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('stickiness', cast(mart.stickiness as double), cast(mart.stickiness_numerator as decimal(38, 6)), cast(mart.stickiness_denominator as decimal(38, 6)), cast(mart.stickiness_low as double), cast(mart.stickiness_high as double)),
    ('customers_paused', cast(mart.customers_paused as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.month_start as day,
    'month' as period,
    figure.metric,
    'all' as dimension,
    'all' as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    mart.is_complete as is_complete,
    'kpi_monthly' as mart
from {{ ref('kpi_monthly') }} as mart
cross join lateral (values
    ('customers_opening', cast(mart.customers_opening as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_new', cast(mart.customers_new as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_reactivated', cast(mart.customers_reactivated as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_lost', cast(mart.customers_lost as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_completed', cast(mart.customers_completed as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_closing', cast(mart.customers_closing as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_retained', cast(mart.customers_retained as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_churned_of_opening', cast(mart.customers_churned_of_opening as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_completed_of_opening', cast(mart.customers_completed_of_opening as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_joined', cast(mart.customers_joined as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_joined_and_left', cast(mart.customers_joined_and_left as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_lost_early', cast(mart.customers_lost_early as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customer_churn_rate', cast(mart.customer_churn_rate as double), cast(mart.customer_churn_rate_numerator as decimal(38, 6)), cast(mart.customer_churn_rate_denominator as decimal(38, 6)), cast(mart.customer_churn_rate_low as double), cast(mart.customer_churn_rate_high as double)),
    ('customer_retention_rate', cast(mart.customer_retention_rate as double), cast(mart.customer_retention_rate_numerator as decimal(38, 6)), cast(mart.customer_retention_rate_denominator as decimal(38, 6)), cast(mart.customer_retention_rate_low as double), cast(mart.customer_retention_rate_high as double)),
    ('completion_rate', cast(mart.completion_rate as double), cast(mart.completion_rate_numerator as decimal(38, 6)), cast(mart.completion_rate_denominator as decimal(38, 6)), cast(mart.completion_rate_low as double), cast(mart.completion_rate_high as double)),
    ('voluntary_churn_rate', cast(mart.voluntary_churn_rate as double), cast(mart.voluntary_churn_rate_numerator as decimal(38, 6)), cast(mart.voluntary_churn_rate_denominator as decimal(38, 6)), cast(mart.voluntary_churn_rate_low as double), cast(mart.voluntary_churn_rate_high as double)),
    ('involuntary_churn_rate', cast(mart.involuntary_churn_rate as double), cast(mart.involuntary_churn_rate_numerator as decimal(38, 6)), cast(mart.involuntary_churn_rate_denominator as decimal(38, 6)), cast(mart.involuntary_churn_rate_low as double), cast(mart.involuntary_churn_rate_high as double)),
    ('unknown_churn_rate', cast(mart.unknown_churn_rate as double), cast(mart.unknown_churn_rate_numerator as decimal(38, 6)), cast(mart.unknown_churn_rate_denominator as decimal(38, 6)), cast(mart.unknown_churn_rate_low as double), cast(mart.unknown_churn_rate_high as double)),
    ('contractual_churn_rate', cast(mart.contractual_churn_rate as double), cast(mart.contractual_churn_rate_numerator as decimal(38, 6)), cast(mart.contractual_churn_rate_denominator as decimal(38, 6)), cast(mart.contractual_churn_rate_low as double), cast(mart.contractual_churn_rate_high as double)),
    ('non_contractual_churn_rate', cast(mart.non_contractual_churn_rate as double), cast(mart.non_contractual_churn_rate_numerator as decimal(38, 6)), cast(mart.non_contractual_churn_rate_denominator as decimal(38, 6)), cast(mart.non_contractual_churn_rate_low as double), cast(mart.non_contractual_churn_rate_high as double)),
    ('early_churn_rate', cast(mart.early_churn_rate as double), cast(mart.early_churn_rate_numerator as decimal(38, 6)), cast(mart.early_churn_rate_denominator as decimal(38, 6)), cast(mart.early_churn_rate_low as double), cast(mart.early_churn_rate_high as double)),
    ('reactivation_rate', cast(mart.reactivation_rate as double), cast(mart.reactivation_rate_numerator as decimal(38, 6)), cast(mart.reactivation_rate_denominator as decimal(38, 6)), cast(mart.reactivation_rate_low as double), cast(mart.reactivation_rate_high as double)),
    ('logo_churn_rate_stripe', cast(mart.logo_churn_rate_stripe as double), cast(mart.logo_churn_rate_stripe_numerator as decimal(38, 6)), cast(mart.logo_churn_rate_stripe_denominator as decimal(38, 6)), cast(mart.logo_churn_rate_stripe_low as double), cast(mart.logo_churn_rate_stripe_high as double)),
    ('churn_rate_daily_sum', cast(mart.churn_rate_daily_sum as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(mart.churn_rate_daily_sum_low as double), cast(mart.churn_rate_daily_sum_high as double)),
    ('cancellations_before_start', cast(mart.cancellations_before_start as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('orders', cast(mart.orders as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('active_purchasers', cast(mart.active_purchasers as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('revenue', cast(mart.revenue as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('average_basket', cast(mart.average_basket as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('purchase_frequency', cast(mart.purchase_frequency as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.day as day,
    'rolling_30d' as period,
    figure.metric,
    'all' as dimension,
    'all' as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    true as is_complete,
    'kpi_rolling_30d' as mart
from {{ ref('kpi_rolling_30d') }} as mart
cross join lateral (values
    ('customers_opening', cast(mart.customers_opening as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_new', cast(mart.customers_new as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_reactivated', cast(mart.customers_reactivated as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_lost', cast(mart.customers_lost as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_completed', cast(mart.customers_completed as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_closing', cast(mart.customers_closing as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_retained', cast(mart.customers_retained as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_churned_of_opening', cast(mart.customers_churned_of_opening as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_completed_of_opening', cast(mart.customers_completed_of_opening as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customer_churn_rate', cast(mart.customer_churn_rate as double), cast(mart.customer_churn_rate_numerator as decimal(38, 6)), cast(mart.customer_churn_rate_denominator as decimal(38, 6)), cast(mart.customer_churn_rate_low as double), cast(mart.customer_churn_rate_high as double)),
    ('customer_retention_rate', cast(mart.customer_retention_rate as double), cast(mart.customer_retention_rate_numerator as decimal(38, 6)), cast(mart.customer_retention_rate_denominator as decimal(38, 6)), cast(mart.customer_retention_rate_low as double), cast(mart.customer_retention_rate_high as double)),
    ('voluntary_churn_rate', cast(mart.voluntary_churn_rate as double), cast(mart.voluntary_churn_rate_numerator as decimal(38, 6)), cast(mart.voluntary_churn_rate_denominator as decimal(38, 6)), cast(mart.voluntary_churn_rate_low as double), cast(mart.voluntary_churn_rate_high as double)),
    ('involuntary_churn_rate', cast(mart.involuntary_churn_rate as double), cast(mart.involuntary_churn_rate_numerator as decimal(38, 6)), cast(mart.involuntary_churn_rate_denominator as decimal(38, 6)), cast(mart.involuntary_churn_rate_low as double), cast(mart.involuntary_churn_rate_high as double)),
    ('unknown_churn_rate', cast(mart.unknown_churn_rate as double), cast(mart.unknown_churn_rate_numerator as decimal(38, 6)), cast(mart.unknown_churn_rate_denominator as decimal(38, 6)), cast(mart.unknown_churn_rate_low as double), cast(mart.unknown_churn_rate_high as double)),
    ('logo_churn_rate_stripe', cast(mart.logo_churn_rate_stripe as double), cast(mart.logo_churn_rate_stripe_numerator as decimal(38, 6)), cast(mart.logo_churn_rate_stripe_denominator as decimal(38, 6)), cast(mart.logo_churn_rate_stripe_low as double), cast(mart.logo_churn_rate_stripe_high as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.month_start as day,
    'month' as period,
    figure.metric,
    mart.dimension as dimension,
    mart.segment as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    mart.is_complete as is_complete,
    'kpi_segments_monthly' as mart
from {{ ref('kpi_segments_monthly') }} as mart
cross join lateral (values
    ('customers_opening', cast(mart.customers_opening as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_new', cast(mart.customers_new as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_reactivated', cast(mart.customers_reactivated as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_lost', cast(mart.customers_lost as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_completed', cast(mart.customers_completed as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_closing', cast(mart.customers_closing as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_retained', cast(mart.customers_retained as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_joined', cast(mart.customers_joined as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_joined_and_left', cast(mart.customers_joined_and_left as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_churned_of_opening', cast(mart.customers_churned_of_opening as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customers_completed_of_opening', cast(mart.customers_completed_of_opening as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('customer_churn_rate', cast(mart.customer_churn_rate as double), cast(mart.customer_churn_rate_numerator as decimal(38, 6)), cast(mart.customer_churn_rate_denominator as decimal(38, 6)), cast(mart.customer_churn_rate_low as double), cast(mart.customer_churn_rate_high as double)),
    ('customer_retention_rate', cast(mart.customer_retention_rate as double), cast(mart.customer_retention_rate_numerator as decimal(38, 6)), cast(mart.customer_retention_rate_denominator as decimal(38, 6)), cast(mart.customer_retention_rate_low as double), cast(mart.customer_retention_rate_high as double)),
    ('voluntary_churn_rate', cast(mart.voluntary_churn_rate as double), cast(mart.voluntary_churn_rate_numerator as decimal(38, 6)), cast(mart.voluntary_churn_rate_denominator as decimal(38, 6)), cast(mart.voluntary_churn_rate_low as double), cast(mart.voluntary_churn_rate_high as double)),
    ('involuntary_churn_rate', cast(mart.involuntary_churn_rate as double), cast(mart.involuntary_churn_rate_numerator as decimal(38, 6)), cast(mart.involuntary_churn_rate_denominator as decimal(38, 6)), cast(mart.involuntary_churn_rate_low as double), cast(mart.involuntary_churn_rate_high as double)),
    ('unknown_churn_rate', cast(mart.unknown_churn_rate as double), cast(mart.unknown_churn_rate_numerator as decimal(38, 6)), cast(mart.unknown_churn_rate_denominator as decimal(38, 6)), cast(mart.unknown_churn_rate_low as double), cast(mart.unknown_churn_rate_high as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)
    and not (mart.dimension = 'all' and figure.metric in ('customer_churn_rate', 'customer_retention_rate', 'customers_churned_of_opening', 'customers_closing', 'customers_completed', 'customers_completed_of_opening', 'customers_joined', 'customers_joined_and_left', 'customers_lost', 'customers_new', 'customers_opening', 'customers_reactivated', 'customers_retained', 'involuntary_churn_rate', 'unknown_churn_rate', 'voluntary_churn_rate'))

union all

select
    mart.day as day,
    'day' as period,
    figure.metric,
    coalesce(nullif(concat_ws(' / ', case when mart.state is distinct from 'all' then 'state' end), ''), 'all') as dimension,
    coalesce(nullif(concat_ws(' / ', nullif(coalesce(cast(mart.state as varchar), '(unknown)'), 'all')), ''), 'all') as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    true as is_complete,
    'lifecycle_daily' as mart
from {{ ref('lifecycle_daily') }} as mart
cross join lateral (values
    ('customers_in_state', cast(mart.customers_in_state as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.month_start as day,
    'month' as period,
    figure.metric,
    coalesce(nullif(concat_ws(' / ', case when mart.from_state is distinct from 'all' then 'from_state' end, case when mart.to_state is distinct from 'all' then 'to_state' end), ''), 'all') as dimension,
    coalesce(nullif(concat_ws(' / ', nullif(coalesce(cast(mart.from_state as varchar), '(unknown)'), 'all'), nullif(coalesce(cast(mart.to_state as varchar), '(unknown)'), 'all')), ''), 'all') as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    mart.is_complete as is_complete,
    'lifecycle_flows_monthly' as mart
from {{ ref('lifecycle_flows_monthly') }} as mart
cross join lateral (values
    ('customers_moved', cast(mart.customers_moved as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('transition_rate', cast(mart.transition_rate as double), cast(mart.transition_rate_numerator as decimal(38, 6)), cast(mart.transition_rate_denominator as decimal(38, 6)), cast(mart.transition_rate_low as double), cast(mart.transition_rate_high as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.day as day,
    'day' as period,
    figure.metric,
    'all' as dimension,
    'all' as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    true as is_complete,
    'mrr_daily' as mart
from {{ ref('mrr_daily') }} as mart
cross join lateral (values
    ('mrr_opening', cast(mart.mrr_opening as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_new', cast(mart.mrr_new as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_expansion', cast(mart.mrr_expansion as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_contraction', cast(mart.mrr_contraction as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_churned', cast(mart.mrr_churned as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_reactivation', cast(mart.mrr_reactivation as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_paused', cast(mart.mrr_paused as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_resumed', cast(mart.mrr_resumed as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_fx', cast(mart.mrr_fx as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_closing', cast(mart.mrr_closing as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('arr', cast(mart.arr as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_scheduled_to_cancel', cast(mart.mrr_scheduled_to_cancel as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_on_pause', cast(mart.mrr_on_pause as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_churned_voluntary', cast(mart.mrr_churned_voluntary as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_churned_involuntary', cast(mart.mrr_churned_involuntary as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_churned_in_pause', cast(mart.mrr_churned_in_pause as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('paying_customers', cast(mart.paying_customers as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('paused_customers', cast(mart.paused_customers as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('paying_subscriptions', cast(mart.paying_subscriptions as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.month_start as day,
    'month' as period,
    figure.metric,
    'all' as dimension,
    'all' as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    mart.is_complete as is_complete,
    'mrr_monthly' as mart
from {{ ref('mrr_monthly') }} as mart
cross join lateral (values
    ('mrr_opening', cast(mart.mrr_opening as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_new', cast(mart.mrr_new as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_expansion', cast(mart.mrr_expansion as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_contraction', cast(mart.mrr_contraction as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_churned', cast(mart.mrr_churned as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_reactivation', cast(mart.mrr_reactivation as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_paused', cast(mart.mrr_paused as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_resumed', cast(mart.mrr_resumed as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_fx', cast(mart.mrr_fx as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_closing', cast(mart.mrr_closing as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('arr', cast(mart.arr as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_scheduled_to_cancel', cast(mart.mrr_scheduled_to_cancel as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_on_pause', cast(mart.mrr_on_pause as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_churned_voluntary', cast(mart.mrr_churned_voluntary as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_churned_involuntary', cast(mart.mrr_churned_involuntary as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_churned_in_pause', cast(mart.mrr_churned_in_pause as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('paying_customers_opening', cast(mart.paying_customers_opening as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('paying_customers', cast(mart.paying_customers as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('paused_customers', cast(mart.paused_customers as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('paying_subscriptions', cast(mart.paying_subscriptions as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('gross_revenue_churn_rate', cast(mart.gross_revenue_churn_rate as double), cast(mart.gross_revenue_churn_rate_numerator as decimal(38, 6)), cast(mart.gross_revenue_churn_rate_denominator as decimal(38, 6)), cast(mart.gross_revenue_churn_rate_low as double), cast(mart.gross_revenue_churn_rate_high as double)),
    ('net_mrr_churn_rate', cast(mart.net_mrr_churn_rate as double), cast(mart.net_mrr_churn_rate_numerator as decimal(38, 6)), cast(mart.net_mrr_churn_rate_denominator as decimal(38, 6)), cast(mart.net_mrr_churn_rate_low as double), cast(mart.net_mrr_churn_rate_high as double)),
    ('net_revenue_retention', cast(mart.net_revenue_retention as double), cast(mart.net_revenue_retention_numerator as decimal(38, 6)), cast(mart.net_revenue_retention_denominator as decimal(38, 6)), cast(mart.net_revenue_retention_low as double), cast(mart.net_revenue_retention_high as double)),
    ('gross_revenue_retention', cast(mart.gross_revenue_retention as double), cast(mart.gross_revenue_retention_numerator as decimal(38, 6)), cast(mart.gross_revenue_retention_denominator as decimal(38, 6)), cast(mart.gross_revenue_retention_low as double), cast(mart.gross_revenue_retention_high as double)),
    ('quick_ratio', cast(mart.quick_ratio as double), cast(mart.quick_ratio_numerator as decimal(38, 6)), cast(mart.quick_ratio_denominator as decimal(38, 6)), cast(mart.quick_ratio_low as double), cast(mart.quick_ratio_high as double)),
    ('arpa', cast(mart.arpa as double), cast(mart.arpa_numerator as decimal(38, 6)), cast(mart.arpa_denominator as decimal(38, 6)), cast(mart.arpa_low as double), cast(mart.arpa_high as double)),
    ('trial_conversion_rate', cast(mart.trial_conversion_rate as double), cast(mart.trial_conversion_rate_numerator as decimal(38, 6)), cast(mart.trial_conversion_rate_denominator as decimal(38, 6)), cast(mart.trial_conversion_rate_low as double), cast(mart.trial_conversion_rate_high as double)),
    ('resume_rate', cast(mart.resume_rate as double), cast(mart.resume_rate_numerator as decimal(38, 6)), cast(mart.resume_rate_denominator as decimal(38, 6)), cast(mart.resume_rate_low as double), cast(mart.resume_rate_high as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.month_start as day,
    'month' as period,
    figure.metric,
    mart.dimension as dimension,
    mart.segment as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    mart.is_complete as is_complete,
    'mrr_monthly_segments' as mart
from {{ ref('mrr_monthly_segments') }} as mart
cross join lateral (values
    ('mrr_opening', cast(mart.mrr_opening as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_new', cast(mart.mrr_new as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_expansion', cast(mart.mrr_expansion as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_contraction', cast(mart.mrr_contraction as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_churned', cast(mart.mrr_churned as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_reactivation', cast(mart.mrr_reactivation as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_paused', cast(mart.mrr_paused as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_resumed', cast(mart.mrr_resumed as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_fx', cast(mart.mrr_fx as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('mrr_closing', cast(mart.mrr_closing as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('paying_customers_opening', cast(mart.paying_customers_opening as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('gross_revenue_churn_rate', cast(mart.gross_revenue_churn_rate as double), cast(mart.gross_revenue_churn_rate_numerator as decimal(38, 6)), cast(mart.gross_revenue_churn_rate_denominator as decimal(38, 6)), cast(mart.gross_revenue_churn_rate_low as double), cast(mart.gross_revenue_churn_rate_high as double)),
    ('net_mrr_churn_rate', cast(mart.net_mrr_churn_rate as double), cast(mart.net_mrr_churn_rate_numerator as decimal(38, 6)), cast(mart.net_mrr_churn_rate_denominator as decimal(38, 6)), cast(mart.net_mrr_churn_rate_low as double), cast(mart.net_mrr_churn_rate_high as double)),
    ('net_revenue_retention', cast(mart.net_revenue_retention as double), cast(mart.net_revenue_retention_numerator as decimal(38, 6)), cast(mart.net_revenue_retention_denominator as decimal(38, 6)), cast(mart.net_revenue_retention_low as double), cast(mart.net_revenue_retention_high as double)),
    ('gross_revenue_retention', cast(mart.gross_revenue_retention as double), cast(mart.gross_revenue_retention_numerator as decimal(38, 6)), cast(mart.gross_revenue_retention_denominator as decimal(38, 6)), cast(mart.gross_revenue_retention_low as double), cast(mart.gross_revenue_retention_high as double)),
    ('quick_ratio', cast(mart.quick_ratio as double), cast(mart.quick_ratio_numerator as decimal(38, 6)), cast(mart.quick_ratio_denominator as decimal(38, 6)), cast(mart.quick_ratio_low as double), cast(mart.quick_ratio_high as double)),
    ('arpa', cast(mart.arpa as double), cast(mart.arpa_numerator as decimal(38, 6)), cast(mart.arpa_denominator as decimal(38, 6)), cast(mart.arpa_low as double), cast(mart.arpa_high as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)
    and not (mart.dimension = 'all' and figure.metric in ('arpa', 'gross_revenue_churn_rate', 'gross_revenue_retention', 'mrr_churned', 'mrr_closing', 'mrr_contraction', 'mrr_expansion', 'mrr_fx', 'mrr_new', 'mrr_opening', 'mrr_paused', 'mrr_reactivation', 'mrr_resumed', 'net_mrr_churn_rate', 'net_revenue_retention', 'paying_customers_opening', 'quick_ratio'))

union all

select
    mart.month_start as day,
    'month' as period,
    figure.metric,
    'all' as dimension,
    'all' as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    mart.is_complete as is_complete,
    'nps_monthly' as mart
from {{ ref('nps_monthly') }} as mart
cross join lateral (values
    ('nps_answers', cast(mart.nps_answers as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('nps', cast(mart.nps as double), cast(mart.nps_numerator as decimal(38, 6)), cast(mart.nps_denominator as decimal(38, 6)), cast(mart.nps_low as double), cast(mart.nps_high as double)),
    ('nps_last_response', cast(mart.nps_last_response as double), cast(mart.nps_last_response_numerator as decimal(38, 6)), cast(mart.nps_last_response_denominator as decimal(38, 6)), cast(mart.nps_last_response_low as double), cast(mart.nps_last_response_high as double)),
    ('nps_response_rate', cast(mart.nps_response_rate as double), cast(mart.nps_response_rate_numerator as decimal(38, 6)), cast(mart.nps_response_rate_denominator as decimal(38, 6)), cast(mart.nps_response_rate_low as double), cast(mart.nps_response_rate_high as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.month_start as day,
    'month' as period,
    figure.metric,
    mart.dimension as dimension,
    mart.segment as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    mart.is_complete as is_complete,
    'payment_recovery_monthly' as mart
from {{ ref('payment_recovery_monthly') }} as mart
cross join lateral (values
    ('failed_payment_rate', cast(mart.failed_payment_rate as double), cast(mart.failed_payment_rate_numerator as decimal(38, 6)), cast(mart.failed_payment_rate_denominator as decimal(38, 6)), cast(mart.failed_payment_rate_low as double), cast(mart.failed_payment_rate_high as double)),
    ('recovery_rate', cast(mart.recovery_rate as double), cast(mart.recovery_rate_numerator as decimal(38, 6)), cast(mart.recovery_rate_denominator as decimal(38, 6)), cast(mart.recovery_rate_low as double), cast(mart.recovery_rate_high as double)),
    ('invoice_recovery_rate', cast(mart.invoice_recovery_rate as double), cast(mart.invoice_recovery_rate_numerator as decimal(38, 6)), cast(mart.invoice_recovery_rate_denominator as decimal(38, 6)), cast(mart.invoice_recovery_rate_low as double), cast(mart.invoice_recovery_rate_high as double)),
    ('days_to_recovery_median', cast(mart.days_to_recovery_median as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('days_to_recovery_p90', cast(mart.days_to_recovery_p90 as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('unpaid_invoices', cast(mart.unpaid_invoices as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('unpaid_invoice_amount', cast(mart.unpaid_invoice_amount as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('cards_expiring_next_month', cast(mart.cards_expiring_next_month as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.as_of as day,
    'to_date' as period,
    figure.metric,
    mart.dimension as dimension,
    mart.segment as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    true as is_complete,
    'segment_summary' as mart
from {{ ref('segment_summary') }} as mart
cross join lateral (values
    ('customers', cast(mart.customers as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('average_health_score', cast(mart.average_health_score as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('average_clv_historic', cast(mart.average_clv_historic as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('average_basket_365d', cast(mart.average_basket_365d as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('purchase_frequency_365d', cast(mart.purchase_frequency_365d as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('expected_lifetime_months', cast(mart.expected_lifetime_months as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('clv_textbook', cast(mart.clv_textbook as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.as_of as day,
    'to_date' as period,
    figure.metric,
    mart.dimension as dimension,
    mart.segment as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    true as is_complete,
    'survival_summary' as mart
from {{ ref('survival_summary') }} as mart
cross join lateral (values
    ('median_lifetime_days', cast(mart.median_lifetime_days as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(mart.median_lifetime_days_low as double), cast(mart.median_lifetime_days_high as double)),
    ('survival_30d', cast(mart.survival_30d as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(mart.survival_30d_low as double), cast(mart.survival_30d_high as double)),
    ('survival_90d', cast(mart.survival_90d as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(mart.survival_90d_low as double), cast(mart.survival_90d_high as double)),
    ('survival_180d', cast(mart.survival_180d as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(mart.survival_180d_low as double), cast(mart.survival_180d_high as double)),
    ('survival_365d', cast(mart.survival_365d as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(mart.survival_365d_low as double), cast(mart.survival_365d_high as double)),
    ('incidence_voluntary_365d', cast(mart.incidence_voluntary_365d as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('incidence_involuntary_365d', cast(mart.incidence_involuntary_365d as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('incidence_inactivity_365d', cast(mart.incidence_inactivity_365d as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('incidence_completed_365d', cast(mart.incidence_completed_365d as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('hazard', cast(mart.hazard as double), cast(mart.hazard_numerator as decimal(38, 6)), cast(mart.hazard_denominator as decimal(38, 6)), cast(mart.hazard_low as double), cast(mart.hazard_high as double)),
    ('logrank_chi2', cast(mart.logrank_chi2 as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.month_start as day,
    'month' as period,
    figure.metric,
    coalesce(nullif(concat_ws(' / ', case when mart.source is distinct from 'all' then 'source' end, case when mart.language is distinct from 'all' then 'language' end, case when mart.theme is distinct from 'all' then 'theme' end), ''), 'all') as dimension,
    coalesce(nullif(concat_ws(' / ', nullif(coalesce(cast(mart.source as varchar), '(unknown)'), 'all'), nullif(coalesce(cast(mart.language as varchar), '(unknown)'), 'all'), nullif(coalesce(cast(mart.theme as varchar), '(unknown)'), 'all')), ''), 'all') as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    mart.is_complete as is_complete,
    'themes_monthly' as mart
from {{ ref('themes_monthly') }} as mart
cross join lateral (values
    ('texts', cast(mart.texts as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('negative_text_rate', cast(mart.negative_text_rate as double), cast(mart.negative_text_rate_numerator as decimal(38, 6)), cast(mart.negative_text_rate_denominator as decimal(38, 6)), cast(mart.negative_text_rate_low as double), cast(mart.negative_text_rate_high as double)),
    ('sentiment_mean', cast(mart.sentiment_mean as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.month_start as day,
    'month' as period,
    figure.metric,
    'all' as dimension,
    'all' as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    mart.is_complete as is_complete,
    'tickets_monthly' as mart
from {{ ref('tickets_monthly') }} as mart
cross join lateral (values
    ('tickets_opened', cast(mart.tickets_opened as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('complaint_rate', cast(mart.complaint_rate as double), cast(mart.complaint_rate_numerator as decimal(38, 6)), cast(mart.complaint_rate_denominator as decimal(38, 6)), cast(mart.complaint_rate_low as double), cast(mart.complaint_rate_high as double)),
    ('ticket_reopened_rate', cast(mart.ticket_reopened_rate as double), cast(mart.ticket_reopened_rate_numerator as decimal(38, 6)), cast(mart.ticket_reopened_rate_denominator as decimal(38, 6)), cast(mart.ticket_reopened_rate_low as double), cast(mart.ticket_reopened_rate_high as double)),
    ('first_response_hours_median', cast(mart.first_response_hours_median as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('first_response_hours_p90', cast(mart.first_response_hours_p90 as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('resolution_hours_median', cast(mart.resolution_hours_median as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('resolution_hours_p90', cast(mart.resolution_hours_p90 as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('tickets_backlog', cast(mart.tickets_backlog as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(null as double), cast(null as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.as_of as day,
    'to_date' as period,
    figure.metric,
    coalesce(nullif(concat_ws(' / ', case when mart.campaign is distinct from 'all' then 'campaign' end, case when mart.offer is distinct from 'all' then 'offer' end, case when mart.cause is distinct from 'all' then 'cause' end, case when mart.delay is distinct from 'all' then 'delay' end), ''), 'all') as dimension,
    coalesce(nullif(concat_ws(' / ', nullif(coalesce(cast(mart.campaign as varchar), '(unknown)'), 'all'), nullif(coalesce(cast(mart.offer as varchar), '(unknown)'), 'all'), nullif(coalesce(cast(mart.cause as varchar), '(unknown)'), 'all'), nullif(coalesce(cast(mart.delay as varchar), '(unknown)'), 'all')), ''), 'all') as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    true as is_complete,
    'winback_campaigns' as mart
from {{ ref('winback_campaigns') }} as mart
cross join lateral (values
    ('winback_rate', cast(mart.winback_rate as double), cast(mart.winback_rate_numerator as decimal(38, 6)), cast(mart.winback_rate_denominator as decimal(38, 6)), cast(mart.winback_rate_low as double), cast(mart.winback_rate_high as double)),
    ('control_return_rate', cast(mart.control_return_rate as double), cast(mart.control_return_rate_numerator as decimal(38, 6)), cast(mart.control_return_rate_denominator as decimal(38, 6)), cast(mart.control_return_rate_low as double), cast(mart.control_return_rate_high as double)),
    ('winback_lift', cast(mart.winback_lift as double), cast(null as decimal(38, 6)), cast(null as decimal(38, 6)), cast(mart.winback_lift_low as double), cast(mart.winback_lift_high as double)),
    ('winback_cost_per_customer', cast(mart.winback_cost_per_customer as double), cast(mart.winback_cost_per_customer_numerator as decimal(38, 6)), cast(mart.winback_cost_per_customer_denominator as decimal(38, 6)), cast(null as double), cast(null as double)),
    ('winback_profit_per_head', cast(mart.winback_profit_per_head as double), cast(mart.winback_profit_per_head_numerator as decimal(38, 6)), cast(mart.winback_profit_per_head_denominator as decimal(38, 6)), cast(mart.winback_profit_per_head_low as double), cast(mart.winback_profit_per_head_high as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)

union all

select
    mart.month_start as day,
    'month' as period,
    figure.metric,
    coalesce(nullif(concat_ws(' / ', case when mart.campaign is distinct from 'all' then 'campaign' end), ''), 'all') as dimension,
    coalesce(nullif(concat_ws(' / ', nullif(coalesce(cast(mart.campaign as varchar), '(unknown)'), 'all')), ''), 'all') as segment,
    figure.numerator,
    figure.denominator,
    figure.value,
    figure.low,
    figure.high,
    mart.is_complete as is_complete,
    'winback_indicators_monthly' as mart
from {{ ref('winback_indicators_monthly') }} as mart
cross join lateral (values
    (mart.name, cast(mart.value as double), cast(mart.numerator as decimal(38, 6)), cast(mart.denominator as decimal(38, 6)), cast(mart.low as double), cast(mart.high as double))
) as figure(metric, value, numerator, denominator, low, high)
where (figure.value is not null or figure.denominator is not null)
