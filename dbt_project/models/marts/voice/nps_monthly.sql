with run as (
    select * from {{ ref('int_run_context') }}
),

months as (
    select month_start, month_end, max(day) as last_day
    from {{ ref('int_calendar') }}
    group by month_start, month_end
),

answers as (
    select customer_id, response_id, answered_at, answered_on, score
    from {{ ref('int_survey_answers') }}
    where survey = 'nps' and score is not null
),

by_response as (
    select
        {{ month_start('answered_on') }} as month_start,
        count(*) as answers,
        count(*) filter (where score >= 9) as promoters,
        count(*) filter (where score < 7) as detractors
    from answers
    group by 1
),

-- Who answered more than once in the window counts once, with the last answer.
last_answers as (
    select
        months.month_start,
        answers.customer_id,
        max_by(answers.score, (answers.answered_at, answers.response_id)) as score
    from answers
    cross join run
    inner join months
        on answers.answered_on <= months.last_day
        and answers.answered_on > {{ add_days('months.last_day', '-run.nps_window_days') }}
    group by months.month_start, answers.customer_id
),

by_customer as (
    select
        month_start,
        count(*) as answers,
        count(*) filter (where score >= 9) as promoters,
        count(*) filter (where score < 7) as detractors
    from last_answers
    group by month_start
),

{{ survey_asks('nps') }},

monthly as (
    select
        months.month_start,
        months.last_day = months.month_end as is_complete,
        coalesce(by_response.answers, 0) as answers,
        coalesce(by_response.promoters, 0) as promoters,
        coalesce(by_response.detractors, 0) as detractors,
        coalesce(by_customer.answers, 0) as customers,
        coalesce(by_customer.promoters, 0) as customers_promoting,
        coalesce(by_customer.detractors, 0) as customers_detracting,
        asks.asked,
        asks.answered
    from months
    cross join run
    left join by_response on by_response.month_start = months.month_start
    left join by_customer on by_customer.month_start = months.month_start
    left join asks on asks.month_start = months.month_start
    where run.has_survey_responses
)

select
    month_start,
    is_complete,
    answers as nps_answers,
    promoters as nps_promoters,
    answers - promoters - detractors as nps_passives,
    detractors as nps_detractors,
    {{ nps_columns('nps', 'promoters', 'detractors', 'answers') }},
    customers as nps_customers,
    customers_promoting as nps_customers_promoting,
    customers - customers_promoting - customers_detracting as nps_customers_passive,
    customers_detracting as nps_customers_detracting,
    {{ nps_columns('nps_last_response', 'customers_promoting', 'customers_detracting', 'customers') }},
    {{ rate_columns('nps_response_rate', 'answered', 'asked') }}
from monthly
