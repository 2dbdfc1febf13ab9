{#- Every rule holds in every row: the expression is true or unknown. One pass for all rules; rows are not shown. -#}
{% test holds(model, rules) %}
select
    concat_ws(', '{% for name, rule in rules.items() %}, case when not ({{ rule }}) then '{{ name }}' end{% endfor %})
        as broken_rules
from {{ model }}
where {% for rule in rules.values() %}{{ 'or ' if not loop.first }}not ({{ rule }})
{% endfor %}
{% endtest %}
