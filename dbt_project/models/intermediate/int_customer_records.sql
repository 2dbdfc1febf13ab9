-- Records of one customer in several systems are one: column by column, the best source that knows it, there the
-- newest, and one that was merged away last.
{%- set columns = [
    'country', 'region', 'language', 'birth_year', 'gender', 'acquisition_channel', 'company_size', 'industry',
    'preferred_channel', 'email', 'phone', 'attributes'
] %}
with joined as (
    select
        identity.canonical_id,
        record.*,
        row_number() over (
            partition by identity.canonical_id
            order by
                case when {{ is_primary_id('record.customer_id') }} then 0 else coalesce(source.priority, 1000) end,
                identity.is_merged_away,
                record.known_on desc nulls last,
                record.created_at desc nulls last,
                record.customer_id
        ) as rank
    from {{ ref('int_canonical_ids') }} as identity
    inner join {{ ref('stg_customers') }} as record on record.customer_id = identity.customer_id
    left join {{ ref('int_sources') }} as source on source.source = split_part(record.customer_id, ':', 1)
)

select
    customer_id,
    created_at,
    {%- for column in columns %}
    {{ column }},
    {%- endfor %}
    is_test
from {{ ref('stg_customers') }}
where customer_id not in (select customer_id from {{ ref('int_canonical_ids') }})

union all

select
    canonical_id,
    min(created_at),
    {%- for column in columns %}
    min_by({{ column }}, rank) filter (where {{ column }} is not null),
    {%- endfor %}
    bool_or(is_test)
from joined
group by canonical_id
