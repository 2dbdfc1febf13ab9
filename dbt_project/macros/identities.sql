{#- The rows of a staging model under the ids by which the business calls its customers. Every model reads them so. -#}
{% macro resolved(relation) -%}
    (
        select {{ replacing('feed', 'customer_id', 'coalesce(identity.canonical_id, feed.customer_id)') }}
        from {{ relation }} as feed
        left join {{ ref('int_canonical_ids') }} as identity on identity.customer_id = feed.customer_id
    )
{%- endmacro %}

{#- What an e-mail address is compared by: SHA-256 of the address, trimmed, in lower case; nothing else is changed. -#}
{% macro email_hash(email) -%}
    {{ sha256_hex('lower(trim(' ~ email ~ '))') }}
{%- endmacro %}

{#- The pseudonymous key of an id. -#}
{% macro pseudonym(id) -%}
    left({{ sha256_hex("run.salt || ':' || " ~ id) }}, 24)
{%- endmacro %}

{#-
  Joins what edges connect, but never two of the primary source over one of another: components (id, component_id,
  is_conflicting) of `edges` (first_id, first_is_primary, second_id, second_is_primary).

  Ids of the primary source that are connected directly are one; so are the others among themselves. A component of others
  belongs to the primary ids with which it is connected where these are one; where they are several it stays apart, and all
  of them are in conflict. A component is called after its smallest primary id, or else its smallest id.
-#}
{% macro joined_components(edges) -%}
    with alike as (
        select first_id as id, second_id as other_id
        from {{ edges }}
        where first_is_primary = second_is_primary and first_id <> second_id

        union all

        select second_id, first_id
        from {{ edges }}
        where first_is_primary = second_is_primary and first_id <> second_id
    ),

    components as (
        {{ connected_components('alike') }}
    ),

    ends as (
        select first_id as id, first_is_primary as is_primary from {{ edges }}
        union
        select second_id, second_is_primary from {{ edges }}
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
        from {{ edges }} as edge
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
{%- endmacro %}

{#- Whether an id belongs to the primary source: it has no other source's name before a colon. -#}
{% macro is_primary_id(id) -%}
    (
        position(':' in {{ id }}) = 0
        or split_part({{ id }}, ':', 1) not in (select source from {{ ref('int_sources') }} where not is_primary)
    )
{%- endmacro %}

{#- The source of an id; an empty text for the primary one. -#}
{% macro id_source(id) -%}
    case when {{ is_primary_id(id) }} then '' else split_part({{ id }}, ':', 1) end
{%- endmacro %}
