-- Orders with a line that came, went or became known since the last build, or of which the customer or an exchange rate is
-- another now.
{% if is_increment() %}
select feed.order_id from ({{ changed_rows('order_lines', 'feed.order_id') }}) as feed

union

select feed.order_id
from {{ in_raw('order_lines') }} as feed
where feed.customer_id in (select customer_id from {{ ref('int_changed_ids') }})

union

select feed.order_id
from {{ in_raw('order_lines') }} as feed
inner join (
    select distinct currency, day
    from (
        {{ differing(
            'select currency, day, rate_to_business from ' ~ in_control('before_int_fx_rates'),
            'select currency, day, rate_to_business from ' ~ ref('int_fx_rates')
            ~ ' where day <= ' ~ increment()['last_as_of']
        ) }}
    )
) as rate
    on rate.currency = feed.currency
    and rate.day = {{ day_of_row('order_lines', increment()['timezone']) }}
{% else %}
select order_id
from {{ ref('stg_order_lines') }}
where false
    and customer_id in (select customer_id from {{ ref('int_changed_ids') }})
    and currency in (select currency from {{ ref('int_fx_rates') }})
{% endif %}
