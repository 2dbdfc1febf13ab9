select
    answer.response_id,
    answer.customer_id,
    answer.survey,
    answer.answered_at,
    {{ day_of('answer.answered_at', 'run.timezone') }} as answered_on,
    answer.score
from {{ resolved(ref('stg_survey_responses')) }} as answer
cross join {{ ref('int_run_context') }} as run
where answer.score is not null
