{#-
  The batches of a feed that count on the as-of day: loaded, and not replaced by a batch that is in force by then.
  A replacement that was delivered after the day is not. `place` is the order of their files by name, which does not
  depend on the order in which they were loaded.
-#}
{% macro current_batches(feed) -%}
select batch.batch_id, row_number() over (order by batch.path, batch.mapping_hash, batch.batch_id) as place
    from {{ source('raw', 'ledger') }} as batch
    left join {{ source('raw', 'ledger') }} as newer
        on newer.batch_id = batch.superseded_by
        and newer.status = 'loaded'
        and (newer.delivered_on is null or newer.delivered_on <= (select as_of from {{ source('control', 'run') }}))
    where batch.feed = '{{ feed }}' and batch.status = 'loaded' and newer.batch_id is null
{%- endmacro %}
