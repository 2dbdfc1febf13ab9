{#- What can become of a message: name → condition over `int_message_outcomes`. -#}
{% macro message_outcomes() -%}
    {{ return({
        'sent': 'true',
        'delivered': 'is_delivered',
        'bounced': 'is_bounced',
        'opened': 'is_opened',
        'machine_opened': 'is_machine_opened',
        'clicked': 'is_clicked',
        'unsubscribed': 'is_unsubscribed',
        'complained': 'is_complained',
        'converted': 'is_converted',
    }) }}
{%- endmacro %}

{#-
  Messages and recipients by outcome. A recipient is a customer in a campaign list on a channel: who gets two messages of it
  is one. `keys` are the columns of the grain, to which those of a recipient are added: campaign, list and customer. With
  `over_all`, one of the keys, there are also rows over all its values, which call it `all`.
-#}
{% macro message_figures(relation, keys, over_all=none) -%}
with recipients as (
    select
        {% for key in keys -%}
        {{ key }},
        {% endfor -%}
        customer_id,
        min(sent_on) as first_sent_on,
        max(sent_on) as last_sent_on,
        bool_and(is_complete) as is_complete,
        bool_or(is_opened or is_machine_opened) as is_opened_at_all,
        {%- for name, condition in message_outcomes().items() %}
        count(*) filter (where {{ condition }}) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    group by {{ keys | join(', ') }}, campaign, list_id, customer_id
),

-- Opened by a human in one message and by a machine in another: a human.
counted as (
    select
        {% for key in keys -%}
        {% if key == over_all %}case when grouping({{ key }}) = 1 then 'all' else {{ key }} end as {% endif %}{{ key }},
        {% endfor -%}
        min(first_sent_on) as first_sent_on,
        max(last_sent_on) as last_sent_on,
        bool_and(is_complete) as is_complete,
        count(distinct customer_id) as customers,
        {%- for name in message_outcomes() %}
        cast(sum({{ name }}) as bigint) as {{ name }},
        count(*) filter (
            where {{ name }} > 0{{ ' and opened = 0' if name == 'machine_opened' }}{{ ' and delivered = 0' if name == 'bounced' }}
        ) as {{ name }}_recipients,
        {%- endfor %}
        count(*) filter (where is_opened_at_all) as opened_at_all_recipients
    from recipients
    {%- if over_all %}
    group by grouping sets (({{ keys | join(', ') }}), ({{ keys | reject('equalto', over_all) | join(', ') }}))
    {%- else %}
    group by {{ keys | join(', ') }}
    {%- endif %}
)
{%- endmacro %}

{#- The rates of `message_figures`, over recipients. -#}
{% macro message_rates() -%}
    {{ rate_columns('delivery_rate', 'delivered_recipients', 'sent_recipients') }},
    {{ rate_columns('bounce_rate', 'bounced_recipients', 'sent_recipients') }},
    {{ rate_columns('open_rate', 'opened_recipients', 'delivered_recipients') }},
    {{ rate_columns('open_rate_all', 'opened_at_all_recipients', 'delivered_recipients') }},
    {{ rate_columns('click_rate', 'clicked_recipients', 'delivered_recipients') }},
    {{ rate_columns('click_to_open_rate', 'clicked_recipients', 'opened_recipients') }},
    {{ rate_columns('unsubscribe_rate', 'unsubscribed_recipients', 'delivered_recipients') }},
    {{ rate_columns('conversion_rate', 'converted_recipients', 'delivered_recipients') }}
{%- endmacro %}
