select
    answer.response_id,
    answer.customer_id,
    answer.survey,
    {{ day_of('answer.asked_at', 'run.timezone') }} as asked_on,
    answer.answered_at,
    {{ day_of('answer.answered_at', 'run.timezone') }} as answered_on,
    answer.score,
    {{ text_hash('answer.reason') }} as reason_hash,
    {{ text_hash('answer.comment') }} as text_hash
from {{ resolved(ref('stg_survey_responses')) }} as answer
cross join {{ ref('int_run_context') }} as run
where answer.customer_id not in (select customer_id from {{ ref('int_test_accounts') }})
