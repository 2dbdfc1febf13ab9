with edges as (
    select distinct
        group_id as first_id,
        group_is_primary as first_is_primary,
        other_group_id as second_id,
        false as second_is_primary
    from "warehouse"."intermediate"."int_email_holders"
    where not is_ambiguous and not is_conflicting and group_id <> other_group_id
),

joined as (
    with alike as (
        select first_id as id, second_id as other_id
        from edges
        where first_is_primary = second_is_primary and first_id <> second_id

        union all

        select second_id, first_id
        from edges
        where first_is_primary = second_is_primary and first_id <> second_id
    ),

    components as (
        with recursive component(id, component_id) using key (id) as (
        select id, least(id, min(other_id))
        from alike
        group by id

        union

        select edge.other_id, min(component.component_id)
        from component
        inner join alike as edge on edge.id = component.id
        inner join recurring.component as known on known.id = edge.other_id
        where component.component_id < known.component_id
        group by edge.other_id
    )

    select id, component_id from component
    ),

    ends as (
        select first_id as id, first_is_primary as is_primary from edges
        union
        select second_id, second_is_primary from edges
    ),

    labelled as (
        select ends.id, ends.is_primary, coalesce(components.component_id, ends.id) as component_id
        from ends
        left join components on components.id = ends.id
    ),

    attachments as (
        select
            case when edge.first_is_primary then second.component_id else first.component_id end as component_id,
            case when edge.first_is_primary then first.component_id else second.component_id end as primary_id
        from edges as edge
        inner join labelled as first on first.id = edge.first_id
        inner join labelled as second on second.id = edge.second_id
        where edge.first_is_primary <> edge.second_is_primary
        group by all
    ),

    owners as (
        select component_id, min(primary_id) as primary_id, count(*) > 1 as is_conflicting
        from attachments
        group by component_id
    ),

    disputed as (
        select attachments.primary_id
        from attachments
        inner join owners on owners.component_id = attachments.component_id and owners.is_conflicting
        group by attachments.primary_id
    )

    select
        labelled.id,
        case
            when not owners.is_conflicting then owners.primary_id
            else labelled.component_id
        end as component_id,
        coalesce(owners.is_conflicting, false) or disputed.primary_id is not null as is_conflicting
    from labelled
    left join owners on owners.component_id = labelled.component_id and not labelled.is_primary
    left join disputed on disputed.primary_id = labelled.component_id and labelled.is_primary
),

members as (
    select customer_id, group_id, is_conflicting, false as has_ambiguous_email
    from "warehouse"."intermediate"."int_identity_groups"

    union all

    select customer_id, group_id, is_conflicting, is_ambiguous
    from "warehouse"."intermediate"."int_email_holders"
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