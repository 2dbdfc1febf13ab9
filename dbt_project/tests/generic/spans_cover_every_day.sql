{#- Each customer is in exactly one state on each day from the first known one: spans adjoin, and the last one is open. -#}
{% test spans_cover_every_day(model) %}
select count(*) as broken
from (
    select
        span.state,
        span.valid_from,
        span.valid_to,
        lead(span.valid_from) over by_day as next_from,
        lead(span.state) over by_day as next_state,
        lag(span.valid_from) over by_day as previous_from,
        customer.customer_id,
        customer.first_seen_on
    from {{ ref('int_customers') }} as customer
    full join {{ model }} as span on span.customer_id = customer.customer_id
    window by_day as (partition by span.customer_id order by span.valid_from)
)
where state is null
    or customer_id is null
    or valid_to is distinct from next_from
    or next_state = state
    or (previous_from is null and valid_from <> first_seen_on)
having count(*) > 0
{% endtest %}
