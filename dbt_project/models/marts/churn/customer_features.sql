select
    as_of,
    customer_key,
    {%- for name in feature_columns() %}
    {{ name }},
    {%- endfor %}
    has_given_notice
from {{ ref('int_customer_snapshots') }}
where is_active
