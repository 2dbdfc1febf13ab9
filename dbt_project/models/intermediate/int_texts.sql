-- The texts themselves stay in staging: from here on there are only their labels.
with cancellations as (
    select
        subscription_id,
        customer_id,
        cancel_reason,
        ended_on,
        min(coalesce(cancel_requested_on, ended_on)) as stated_on
    from {{ ref('int_subscription_versions') }}
    where cancel_reason is not null and ended_on is not null
    group by subscription_id, customer_id, cancel_reason, ended_on
),

written as (
    select
        'ticket' as source,
        ticket.ticket_id as text_id,
        ticket.customer_id,
        ticket.opened_on as written_on,
        cast(null as varchar) as survey,
        ticket.kind,
        cast(null as double) as score,
        cast(null as date) as ended_on,
        ticket.text_hash,
        ticket.kind_hash as reason_hash
    from {{ ref('int_tickets') }} as ticket

    union all

    select
        'survey',
        answer.response_id,
        answer.customer_id,
        answer.answered_on,
        answer.survey,
        null,
        answer.score,
        null,
        answer.text_hash,
        answer.reason_hash
    from {{ ref('int_survey_answers') }} as answer

    union all

    select
        'review',
        review.review_id,
        review.customer_id,
        {{ day_of('review.posted_at', 'run.timezone') }},
        null,
        null,
        review.rating,
        null,
        {{ text_hash('review.text') }},
        null
    from {{ resolved(ref('stg_reviews')) }} as review
    cross join {{ ref('int_run_context') }} as run
    where review.customer_id is null
        or review.customer_id not in (select customer_id from {{ ref('int_test_accounts') }})

    union all

    select
        'cancellation',
        cancellation.subscription_id,
        cancellation.customer_id,
        cancellation.stated_on,
        null,
        null,
        null,
        cancellation.ended_on,
        null,
        {{ text_hash('cancellation.cancel_reason') }}
    from cancellations as cancellation
),

labelled as (
    select
        written.source,
        written.text_id,
        written.customer_id,
        written.written_on,
        written.survey,
        written.kind,
        written.score,
        written.ended_on,
        written.text_hash is not null as has_text,
        label.language,
        label.sentiment,
        label.sentiment_score,
        label.theme,
        nullif(label.cause, 'unknown') as told_cause,
        label.cause_by as told_by,
        nullif(reason.cause, 'unknown') as reason_cause,
        reason.cause_by as reason_by,
        -- Who chose a reason in a survey said it on purpose; the kind of a ticket was chosen by somebody else.
        written.source in ('survey', 'cancellation') as reason_first
    from written
    left join {{ source('voice', 'text_labels') }} as label on label.text_hash = written.text_hash
    left join {{ source('voice', 'reason_labels') }} as reason on reason.reason_hash = written.reason_hash
)

select
    source,
    text_id,
    customer_id,
    written_on,
    survey,
    kind,
    score,
    ended_on,
    has_text,
    language,
    sentiment,
    sentiment_score,
    case
        when not has_text then null
        when theme is not null and theme <> 'unknown' then theme
        else coalesce(reason_cause, 'unknown')
    end as theme,
    coalesce(case when reason_first then reason_cause end, told_cause, reason_cause, 'unknown') as cause,
    case
        when reason_first and reason_cause is not null then reason_by
        when told_cause is not null then told_by
        when reason_cause is not null then reason_by
        else 'unknown'
    end as cause_by
from labelled
where has_text or reason_cause is not null
