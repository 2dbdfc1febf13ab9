
select count(*) as broken
from (
    select
        started_on,
        ended_on,
        lead(started_on) over (partition by customer_id order by started_on, period_number) as next_start
    from "warehouse"."intermediate"."int_active_periods"
)
where ended_on <= started_on or next_start <= ended_on or (ended_on is null and next_start is not null)
having count(*) > 0
