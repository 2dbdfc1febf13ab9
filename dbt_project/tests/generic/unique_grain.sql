{#- No two rows share the values of `columns`, and none of these values is missing. Keys are not shown. -#}
{% test unique_grain(model, columns) %}
select count(*) as rows_of_one_grain
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1 {% for column in columns %}or bool_or({{ column }} is null){% endfor %}
{% endtest %}
