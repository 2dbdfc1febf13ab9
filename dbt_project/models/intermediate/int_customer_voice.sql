with run as (
    select * from {{ ref('int_run_context') }}
),

texts as (
    select
        text.customer_id,
        max(text.written_on) filter (where text.has_text) as last_text_on,
        max_by(text.sentiment, (text.written_on, text.source, text.text_id)) filter (where text.sentiment is not null)
            as last_sentiment,
        max_by(text.sentiment_score, (text.written_on, text.source, text.text_id))
            filter (where text.sentiment is not null) as last_sentiment_score,
        max_by(text.cause, (text.written_on, text.source, text.text_id))
            filter (where text.cause <> 'unknown' and coalesce(text.sentiment, 'negative') <> 'positive')
            as last_stated_cause,
        max(text.written_on)
            filter (where text.cause <> 'unknown' and coalesce(text.sentiment, 'negative') <> 'positive')
            as last_stated_cause_on,
        count(*) filter (where text.sentiment = 'negative' and {{ in_last('text.written_on', 'run.as_of', 90) }})
            as negative_texts_90d
    from {{ ref('int_texts') }} as text
    cross join run
    where text.customer_id is not null
    group by text.customer_id
),

tickets as (
    select
        ticket.customer_id,
        count(*) filter (
            where ticket.solved_on is null and (ticket.kind = 'complaint' or text.sentiment = 'negative')
        ) as unhappy_tickets_open,
        count(*) filter (where ticket.kind = 'complaint' and {{ in_last('ticket.opened_on', 'run.as_of', 90) }})
            as complaints_90d,
        count(*) filter (where ticket.reopened_count > 0 and {{ in_last('ticket.solved_on', 'run.as_of', 90) }})
            as tickets_reopened_90d,
        max_by(ticket.is_satisfied, (ticket.solved_on, ticket.ticket_id)) filter (where ticket.is_satisfied is not null)
            as last_ticket_satisfied
    from {{ ref('int_tickets') }} as ticket
    cross join run
    left join {{ ref('int_texts') }} as text on text.source = 'ticket' and text.text_id = ticket.ticket_id
    group by ticket.customer_id
),

answers as (
    select
        customer_id,
        max_by(score, (answered_at, response_id)) filter (where survey = 'ces') as last_ces,
        max(answered_on) filter (where survey = 'nps') as last_nps_on
    from {{ ref('int_survey_answers') }}
    where score is not null
    group by customer_id
)

select
    customer.customer_id,
    texts.last_text_on,
    texts.last_sentiment,
    texts.last_sentiment_score,
    texts.last_stated_cause,
    texts.last_stated_cause_on,
    case when texts.last_text_on is not null then cast(texts.negative_texts_90d as integer) end as negative_texts_90d,
    {{ if_fed('tickets', 'cast(coalesce(tickets.unhappy_tickets_open, 0) as integer)') }} as unhappy_tickets_open,
    {{ if_fed('tickets', 'cast(coalesce(tickets.complaints_90d, 0) as integer)') }} as complaints_90d,
    {{ if_fed('tickets', 'cast(coalesce(tickets.tickets_reopened_90d, 0) as integer)') }} as tickets_reopened_90d,
    tickets.last_ticket_satisfied,
    answers.last_ces,
    answers.last_nps_on
from {{ ref('int_customers') }} as customer
cross join run
left join texts on texts.customer_id = customer.customer_id
left join tickets on tickets.customer_id = customer.customer_id
left join answers on answers.customer_id = customer.customer_id
where texts.customer_id is not null or tickets.customer_id is not null or answers.customer_id is not null
