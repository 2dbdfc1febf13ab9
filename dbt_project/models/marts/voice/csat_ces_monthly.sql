with run as (
    select * from {{ ref('int_run_context') }}
),

months as (
    select month_start, month_end, max(day) as last_day
    from {{ ref('int_calendar') }}
    group by month_start, month_end
),

answers as (
    select
        {{ month_start('answered_on') }} as month_start,
        count(*) filter (where survey = 'csat') as csat_answers,
        count(*) filter (where survey = 'csat' and score >= 4) as csat_satisfied,
        count(*) filter (where survey = 'ces') as ces_answers,
        count(*) filter (where survey = 'ces' and score >= 5) as ces_easy,
        sum(cast(score as decimal(18, 4))) filter (where survey = 'ces') as ces_total
    from {{ ref('int_survey_answers') }}
    where survey in ('csat', 'ces') and score is not null
    group by 1
),

-- A rating of a ticket is given when it is solved.
ratings as (
    select
        {{ month_start('solved_on') }} as month_start,
        count(*) as tickets_rated,
        count(*) filter (where is_satisfied) as tickets_satisfied
    from {{ ref('int_tickets') }}
    where solved_on is not null and is_satisfied is not null
    group by 1
),

{{ survey_asks('csat') }},

monthly as (
    select
        months.month_start,
        months.last_day = months.month_end as is_complete,
        {{ if_fed('survey_responses', 'coalesce(answers.csat_answers, 0)') }} as csat_answers,
        {{ if_fed('survey_responses', 'coalesce(answers.csat_satisfied, 0)') }} as csat_satisfied,
        {{ if_fed('survey_responses', 'coalesce(answers.ces_answers, 0)') }} as ces_answers,
        {{ if_fed('survey_responses', 'coalesce(answers.ces_easy, 0)') }} as ces_easy,
        answers.ces_total,
        asks.asked,
        asks.answered,
        {{ if_fed('tickets', 'coalesce(ratings.tickets_rated, 0)') }} as tickets_rated,
        {{ if_fed('tickets', 'coalesce(ratings.tickets_satisfied, 0)') }} as tickets_satisfied
    from months
    cross join run
    left join answers on answers.month_start = months.month_start
    left join asks on asks.month_start = months.month_start
    left join ratings on ratings.month_start = months.month_start
    where run.has_survey_responses or run.has_tickets
)

select
    month_start,
    is_complete,
    {{ rate_columns('csat', 'csat_satisfied', 'csat_answers') }},
    {{ rate_columns('csat_response_rate', 'answered', 'asked') }},
    {{ rate_columns('ticket_csat', 'tickets_satisfied', 'tickets_rated') }},
    ces_answers,
    {{ ratio('ces_total', 'ces_answers', 4) }} as ces,
    {{ rate_columns('ces_easy_rate', 'ces_easy', 'ces_answers') }}
from monthly
