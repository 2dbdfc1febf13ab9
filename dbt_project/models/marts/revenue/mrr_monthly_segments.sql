select
    month_start,
    dimension,
    segment,
    {{ month_end('month_start') }} <= run.as_of as is_complete,
    opening,
    new,
    expansion,
    contraction,
    churned,
    reactivation,
    paused,
    resumed,
    fx,
    closing,
    customers_opening,
    customers_closing,
    {{ money_rate_columns('gross_revenue_churn_rate', 'cast(churned + contraction as decimal(18, 4))', 'opening') }},
    {{ money_rate_columns(
        'net_mrr_churn_rate', 'cast(churned + contraction - expansion - reactivation as decimal(18, 4))', 'opening'
    ) }},
    {{ money_rate_columns('net_revenue_retention', 'retained', 'opening') }},
    {{ money_rate_columns('gross_revenue_retention', 'kept', 'opening') }},
    {{ money_rate_columns(
        'quick_ratio', 'cast(new + expansion + reactivation as decimal(18, 4))',
        'cast(churned + contraction as decimal(18, 4))'
    ) }},
    {{ money_rate_columns('arpa', 'closing', 'customers_closing') }}
from {{ ref('int_mrr_months') }}
cross join {{ ref('int_run_context') }} as run
where dimension <> 'all'
