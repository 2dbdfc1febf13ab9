{#- Sets that engines walk differently. -#}

{#-
  Connected components (id, component_id) of `edges` (id, other_id), which holds each edge both ways; a component is
  called after its smallest id. In each round an id takes the smallest name of its neighbours, until none changes.
-#}
{% macro connected_components(edges) -%}
    {{ return(adapter.dispatch('connected_components')(edges)) }}
{%- endmacro %}
{% macro default__connected_components(edges) -%}
    with recursive component(id, component_id) using key (id) as (
        select id, least(id, min(other_id))
        from {{ edges }}
        group by id

        union

        select edge.other_id, min(component.component_id)
        from component
        inner join {{ edges }} as edge on edge.id = component.id
        inner join recurring.component as known on known.id = edge.other_id
        where component.component_id < known.component_id
        group by edge.other_id
    )

    select id, component_id from component
{%- endmacro %}
