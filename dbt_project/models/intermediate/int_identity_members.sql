with edges as (
    select distinct
        group_id as first_id,
        group_is_primary as first_is_primary,
        other_group_id as second_id,
        false as second_is_primary
    from {{ ref('int_email_holders') }}
    where not is_ambiguous and not is_conflicting and group_id <> other_group_id
),

joined as (
    {{ joined_components('edges') }}
),

members as (
    select customer_id, group_id, is_conflicting, false as has_ambiguous_email
    from {{ ref('int_identity_groups') }}

    union all

    select customer_id, group_id, is_conflicting, is_ambiguous
    from {{ ref('int_email_holders') }}
)

select
    members.customer_id,
    members.group_id,
    coalesce(max(joined.component_id), members.group_id) as component_id,
    bool_or(members.is_conflicting) or coalesce(bool_or(joined.is_conflicting), false) as is_conflicting,
    bool_or(members.has_ambiguous_email) as has_ambiguous_email
from members
left join joined on joined.id = members.group_id
group by members.customer_id, members.group_id
