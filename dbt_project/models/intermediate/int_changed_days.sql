-- Days of customers on which a feed says something else than at the last build: what counts by customer and day is computed
-- anew there. More than have changed may be among them. A customer stands under every id that is theirs or was.
{% set feeds = [
    'order_lines', 'usage', 'events', 'payment_attempts', 'messages', 'loyalty', 'tickets', 'survey_responses'
] %}
{% if is_increment() %}
with run as (
    select {{ increment()['timezone'] }} as timezone
),

touched as (
    {%- for feed in feeds %}
    {%- set key = feed_facts(feed)['key'] %}
    {%- set day = day_of_row(feed, 'run.timezone') ~ ' as day' %}
    {%- if feed == 'order_lines' %}
    select feed.customer_id, {{ day }}
    from {{ in_raw(feed) }} as feed
    cross join run
    where feed.order_id in (select order_id from {{ ref('int_changed_orders') }})
    {%- elif key %}
    select feed.customer_id, {{ day }}
    from {{ in_raw(feed) }} as feed
    cross join run
    where feed.{{ key }} in ({{ changed_rows(feed, 'feed.' ~ key) }})
    {%- else %}
    select feed.customer_id, {{ day }}
    from ({{ changed_rows(feed, 'feed.customer_id, feed.' ~ feed_facts(feed)['time']) }}) as feed
    cross join run
    {%- endif %}

    union

    select feed.customer_id, {{ day }}
    from {{ in_raw(feed) }} as feed
    cross join run
    where feed.customer_id in (select customer_id from {{ ref('int_changed_ids') }})
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

ids as (
    select customer_id, canonical_id from {{ in_control('before_int_canonical_ids') }}
    union
    select customer_id, canonical_id from {{ ref('int_canonical_ids') }}
),

canonical as (
    select customer_id, day from touched where customer_id is not null
    union
    select ids.canonical_id, touched.day
    from touched
    inner join ids on ids.customer_id = touched.customer_id
)

select customer_id, day from canonical
union
select ids.customer_id, canonical.day
from canonical
inner join ids on ids.canonical_id = canonical.customer_id
{% else %}
{%- for feed in feeds %}
select customer_id, cast(null as date) as day from {{ ref('stg_' ~ feed) }} where false
union all
{%- endfor %}
select customer_id, null
from {{ ref('int_changed_ids') }}
where false
    and customer_id in (select order_id from {{ ref('int_changed_orders') }})
    and customer_id in (select customer_id from {{ ref('int_canonical_ids') }})
{% endif %}
