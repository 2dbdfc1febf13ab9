{{ message_figures(ref('int_message_outcomes'), ['sent_month', 'channel'], over_all='channel') }}

select
    counted.sent_month as month_start,
    counted.channel,
    {{ add_days(month_end('counted.sent_month'), 'run.response_days') }} <= run.as_of as is_complete,
    counted.customers,
    {%- for name in message_outcomes() %}
    counted.{{ name }},
    counted.{{ name }}_recipients,
    {%- endfor %}
    {{ message_rates() }}
from counted
cross join {{ ref('int_run_context') }} as run
