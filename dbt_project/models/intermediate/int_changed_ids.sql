-- Whose canonical id, or whose being a test account, is not what it was at the last build; with them all ids that are or were
-- one customer.
{% if is_increment() %}
with before as (
    select customer_id, canonical_id from {{ in_control('before_int_canonical_ids') }}
),

latest as (
    select customer_id, canonical_id from {{ ref('int_canonical_ids') }}
),

then_or_now as (
    select customer_id, canonical_id from before
    union
    select customer_id, canonical_id from latest
),

differing as (
    {{ differing('from before', 'from latest') }}
),

touched as (
    select customer_id from differing
    union
    select canonical_id from differing
    union
    select customer_id from (
        {{ differing(
            'select customer_id from ' ~ in_control('before_int_test_accounts'),
            'select customer_id from ' ~ ref('int_test_accounts')
        ) }}
    )
)

select customer_id from touched
union
select canonical_id from then_or_now where customer_id in (select customer_id from touched)
union
select customer_id from then_or_now where canonical_id in (select customer_id from touched)
{% else %}
select customer_id
from {{ ref('int_canonical_ids') }}
where customer_id in (select customer_id from {{ ref('int_test_accounts') }}) and false
{% endif %}
