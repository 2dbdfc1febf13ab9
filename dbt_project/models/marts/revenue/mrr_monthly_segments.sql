with segments as (
    select
        *,
        {%- for figure in [
            'opening', 'new', 'expansion', 'contraction', 'churned', 'reactivation', 'paused', 'resumed', 'fx', 'closing'
        ] %}
        {{ figure }} as mrr_{{ figure }},
        {%- endfor %}
        customers_opening as paying_customers_opening,
        customers_closing as paying_customers
    from {{ ref('int_mrr_months') }}
    where dimension <> 'all'
)

select
    month_start,
    dimension,
    segment,
    {{ month_end('month_start') }} <= run.as_of as is_complete,
    mrr_opening,
    mrr_new,
    mrr_expansion,
    mrr_contraction,
    mrr_churned,
    mrr_reactivation,
    mrr_paused,
    mrr_resumed,
    mrr_fx,
    mrr_closing,
    paying_customers_opening,
    paying_customers,
    {{ revenue_rates('paying_customers') }}
from segments
cross join {{ ref('int_run_context') }} as run
