
    

    create  table
      "warehouse"."intermediate"."int_survey_answers__dbt_tmp"
  
    
    as (
      select
    answer.response_id,
    answer.customer_id,
    answer.survey,
    answer.answered_at,
    cast(answer.answered_at at time zone 'UTC' at time zone run.timezone as date) as answered_on,
    answer.score
from (
        select feed.* replace (coalesce(identity.canonical_id, feed.customer_id) as customer_id)
        from "warehouse"."staging"."stg_survey_responses" as feed
        left join "warehouse"."intermediate"."int_canonical_ids" as identity on identity.customer_id = feed.customer_id
    ) as answer
cross join "warehouse"."intermediate"."int_run_context" as run
where answer.score is not null
    );
    
  