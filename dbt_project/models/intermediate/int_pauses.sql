with spans as (
    select
        *,
        lag(valid_to) over by_day = valid_from and lag(state) over by_day = 'paused' as goes_on,
        lead(valid_from) over by_day = valid_to as is_followed,
        lead(state) over by_day as next_state
    from {{ ref('int_mrr_spans') }}
    window by_day as (partition by subscription_id order by valid_from)
),

-- A pause during which the price changes is one pause of several spans.
numbered as (
    select
        *,
        sum(case when goes_on then 0 else 1 end)
            over (partition by subscription_id order by valid_from rows unbounded preceding) as pause
    from spans
    where state = 'paused'
)

select
    subscription_id,
    customer_id,
    min(valid_from) as paused_on,
    case when count(valid_to) = count(*) then max(valid_to) end as resumed_on,
    case
        when count(valid_to) < count(*) then null
        when max_by(coalesce(is_followed, false), valid_from) then 'resumed'
        else 'ended'
    end as outcome
from numbered
group by subscription_id, customer_id, pause
