{#-
  No two rows share the values of `columns`, and none of these values is missing. Keys are not shown. Of a model that is kept up
  to date, `changed` names the model of changed keys, one of `columns`: after an increment only those are looked at.
-#}
{% test unique_grain(model, columns, changed=none) %}
select count(*) as rows_of_one_grain
from {{ model }}
{%- if changed and increment() is not none %}
where {{ is_among(columns | join(', '), columns, changed) }}
{%- endif %}
group by {{ columns | join(', ') }}
having count(*) > 1 {% for column in columns %}or bool_or({{ column }} is null){% endfor %}
{% endtest %}
