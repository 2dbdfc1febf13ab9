with run as (
    select * from {{ ref('int_run_context') }}
),

months as (
    select month_start, month_end, max(day) as last_day
    from {{ ref('int_calendar') }}
    group by month_start, month_end
),

opened as (
    select
        {{ month_start('opened_on') }} as month_start,
        count(*) as tickets,
        count(distinct customer_id) as customers,
        count(*) filter (where kind = 'question') as questions,
        count(*) filter (where kind = 'incident') as incidents,
        count(*) filter (where kind = 'complaint') as complaints,
        count(*) filter (where kind = 'billing') as billing
    from {{ ref('int_tickets') }}
    group by 1
),

-- Times count in the month in which the answer or the solution came: then they are known, and do not change.
responded as (
    select
        {{ month_start('responded_on') }} as month_start,
        {{ percentile('first_response_hours', 0.5, 4) }} as first_response_hours_median,
        {{ percentile('first_response_hours', 0.9, 4) }} as first_response_hours_p90
    from {{ ref('int_tickets') }}
    where first_response_hours is not null
    group by 1
),

solved as (
    select
        {{ month_start('solved_on') }} as month_start,
        count(*) as tickets,
        count(*) filter (where reopened_count > 0) as reopened,
        {{ percentile('resolution_hours', 0.5, 4) }} as resolution_hours_median,
        {{ percentile('resolution_hours', 0.9, 4) }} as resolution_hours_p90
    from {{ ref('int_tickets') }}
    where solved_on is not null
    group by 1
),

-- Opened less solved so far: what is open at the end of the month.
flows as (
    select greatest(moved.month_start, bounds.first_month) as month_start, sum(moved.tickets) as change
    from (
        select month_start, tickets from opened
        union all
        select month_start, - tickets from solved
    ) as moved
    cross join (select min(month_start) as first_month from months) as bounds
    group by 1
),

monthly as (
    select
        months.month_start,
        months.last_day = months.month_end as is_complete,
        coalesce(opened.tickets, 0) as tickets_opened,
        coalesce(opened.customers, 0) as customers_with_ticket,
        coalesce(opened.questions, 0) as tickets_question,
        coalesce(opened.incidents, 0) as tickets_incident,
        coalesce(opened.complaints, 0) as tickets_complaint,
        coalesce(opened.billing, 0) as tickets_billing,
        coalesce(solved.tickets, 0) as tickets_solved,
        coalesce(solved.reopened, 0) as tickets_reopened,
        cast(sum(coalesce(flows.change, 0)) over (order by months.month_start rows unbounded preceding) as bigint) as tickets_backlog,
        responded.first_response_hours_median,
        responded.first_response_hours_p90,
        solved.resolution_hours_median,
        solved.resolution_hours_p90,
        coalesce(kpi.customers_opening, 0) as customers_opening
    from months
    cross join run
    left join flows on flows.month_start = months.month_start
    left join opened on opened.month_start = months.month_start
    left join responded on responded.month_start = months.month_start
    left join solved on solved.month_start = months.month_start
    left join {{ ref('kpi_monthly') }} as kpi on kpi.month_start = months.month_start
    where run.has_tickets
)

select
    month_start,
    is_complete,
    tickets_opened,
    customers_with_ticket,
    tickets_question,
    tickets_incident,
    tickets_complaint,
    tickets_billing,
    tickets_opened - tickets_question - tickets_incident - tickets_complaint - tickets_billing as tickets_other,
    {{ event_rate_columns('complaint_rate', 'tickets_complaint', 'customers_opening') }},
    tickets_solved,
    {{ rate_columns('ticket_reopened_rate', 'tickets_reopened', 'tickets_solved') }},
    first_response_hours_median,
    first_response_hours_p90,
    resolution_hours_median,
    resolution_hours_p90,
    tickets_backlog
from monthly
