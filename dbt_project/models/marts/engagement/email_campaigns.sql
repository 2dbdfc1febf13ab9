{{ message_figures(ref('int_message_outcomes'), ['campaign', 'list_id', 'play', 'arm', 'channel']) }}

select
    campaign,
    list_id,
    play,
    coalesce(arm, 'none') as arm,
    channel,
    first_sent_on,
    last_sent_on,
    is_complete,
    {%- for name in message_outcomes() %}
    {{ name }},
    {{ name }}_recipients,
    {%- endfor %}
    {{ message_rates() }}
from counted
