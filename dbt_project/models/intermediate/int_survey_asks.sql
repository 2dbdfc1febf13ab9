-- Who was asked by a message of the campaigns that ask for a survey, once those days have passed in which an answer counts.
with run as (
    select * from {{ ref('int_run_context') }}
),

asked as (
    select
        campaign.survey,
        message.message_id,
        message.customer_id,
        message.sent_on,
        {{ add_days('message.sent_on', 'run.response_days') }} as closes_on
    from {{ ref('int_message_outcomes') }} as message
    cross join run
    inner join {{ source('control', 'survey_campaigns') }} as campaign on campaign.campaign = message.campaign
    where message.is_delivered and message.is_complete
)

select
    asked.survey,
    asked.message_id,
    asked.customer_id,
    asked.sent_on as asked_on,
    asked.closes_on,
    count(answer.response_id) > 0 as is_answered
from asked
left join {{ ref('int_survey_answers') }} as answer
    on answer.customer_id = asked.customer_id
    and answer.survey = asked.survey
    and answer.answered_on between asked.sent_on and asked.closes_on
group by all
