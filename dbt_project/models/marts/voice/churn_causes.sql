-- Every piece of evidence for every loss, in the order in which it is believed; the first one names the cause.
with run as (
    select * from {{ ref('int_run_context') }}
),

events as (
    select
        event.event_id,
        event.customer_key,
        customer.customer_id,
        event.period_number,
        event.happened_on,
        event.known_on,
        event.end_kind
    from {{ ref('fct_churn_events') }} as event
    inner join {{ ref('int_customers') }} as customer on customer.customer_key = event.customer_key
),

payments as (
    select
        event_id,
        2 as strength,
        'payment' as evidence,
        happened_on as evidence_on,
        'payment_failure' as cause,
        'reason' as cause_by,
        '' as evidence_id
    from events
    where end_kind = 'involuntary'
),

-- What the customer said until the loss was known: the reason for the subscription that ended, the answer to an exit
-- survey, or else something unhappy in the days before.
said as (
    select
        events.event_id,
        case when text.source = 'cancellation' then 1 when text.survey = 'exit' then 3 else 4 end as strength,
        case
            when text.source = 'cancellation' then 'cancel_reason'
            when text.survey = 'exit' then 'exit_survey'
            else text.source
        end as evidence,
        text.written_on as evidence_on,
        text.cause,
        text.cause_by,
        text.source || ' ' || text.text_id as evidence_id
    from events
    cross join run
    inner join {{ ref('int_texts') }} as text
        on text.customer_id = events.customer_id
        and text.written_on <= events.known_on
        and case
            when text.source <> 'cancellation'
                then text.written_on > {{ add_days('events.happened_on', '-run.cause_window_days') }}
            when events.end_kind = 'inactivity'
                then text.ended_on > {{ add_days('events.happened_on', '-run.cause_window_days') }}
            else text.ended_on = events.happened_on
        end
    where text.cause <> 'unknown'
        and (
            text.source = 'cancellation'
            or text.survey = 'exit'
            or coalesce(text.sentiment, 'negative') <> 'positive'
        )
),

evidence as (
    select * from payments
    union all
    select * from said
),

strongest as (
    select *
    from evidence
    qualify row_number() over (
        partition by event_id order by strength, evidence_on desc, evidence desc, evidence_id, cause
    ) = 1
)

select
    events.event_id,
    events.customer_key,
    events.period_number,
    events.happened_on,
    events.known_on,
    events.end_kind,
    coalesce(strongest.cause, 'unknown') as cause,
    coalesce(strongest.evidence, 'none') as evidence,
    strongest.evidence_on,
    coalesce(strongest.cause_by, 'unknown') as cause_by
from events
left join strongest on strongest.event_id = events.event_id
