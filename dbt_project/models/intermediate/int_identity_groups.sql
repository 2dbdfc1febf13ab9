with edges as (
    select first_id, first_is_primary, second_id, second_is_primary
    from {{ ref('int_identity_links') }}
),

joined as (
    {{ joined_components('edges') }}
)

select id as customer_id, component_id as group_id, is_conflicting
from joined
