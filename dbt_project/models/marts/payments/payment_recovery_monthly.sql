with run as (
    select * from {{ ref('int_run_context') }}
),

months as (
    select month_start, max(day) as last_day, max(month_end) as month_end
    from {{ ref('int_calendar') }}
    group by month_start
),

invoices as (
    select
        *,
        {{ month_start('first_attempt_on') }} as month_start,
        case when recovered_on is not null then {{ days_between('first_attempt_on', 'recovered_on') }} end as days
    from {{ ref('int_invoice_collection') }}
    where first_attempt_on is not null
),

tries as (
    select month_start, count(*) as first_attempts
    from invoices
    group by month_start
),

failures as (
    select
        month_start,
        case when grouping(failure_code) = 1 then 'all' else 'failure_code' end as dimension,
        case when grouping(failure_code) = 1 then 'all' else failure_code end as segment,
        count(*) as failed,
        count(*) filter (where recovered_on is not null) as recovered,
        count(amount_due) as valued,
        sum(amount_due) as failed_amount,
        sum(recovered_amount) as recovered_amount,
        -- For the interval of a ratio of sums.
        sum(cast(amount_due as decimal(18, 2)) * cast(amount_due as decimal(18, 2))) as xx,
        sum(cast(amount_due as decimal(18, 2)) * cast(recovered_amount as decimal(18, 2))) as xy,
        sum(cast(recovered_amount as decimal(18, 2)) * cast(recovered_amount as decimal(18, 2))) as yy,
        percentile_cont(0.5) within group (order by days) as median_days,
        percentile_cont(0.9) within group (order by days) as p90_days
    from invoices
    where is_first_failed
    group by grouping sets ((month_start), (month_start, failure_code))
),

cells as (
    select month_start, 'all' as dimension, 'all' as segment
    from tries

    union all

    select month_start, dimension, segment
    from failures
    where dimension <> 'all'
),

-- At the end of each month, or of the as-of day: what was being collected then. An invoice is open for few months.
open_invoices as (
    select months.month_start, count(*) as invoices, count(invoice.amount_due) as valued, sum(invoice.amount_due) as amount
    from {{ ref('int_invoice_collection') }} as invoice
    inner join months
        on months.last_day >= invoice.open_from
        and months.last_day < invoice.open_until
    group by months.month_start
),

cards as (
    select months.month_start, count(*) as cards
    from {{ ref('int_cards') }} as card
    inner join months
        on months.month_start = {{ add_months(month_start('card.expires_on'), -1) }}
        and months.last_day >= card.valid_from
        and (card.valid_to is null or card.valid_to > months.last_day)
    inner join {{ ref('int_active_periods') }} as period
        on period.customer_id = card.customer_id
        and period.started_on <= months.last_day
        and (period.ended_on is null or period.ended_on > months.last_day)
    group by months.month_start
),

described as (
    select
        cells.month_start,
        cells.dimension,
        cells.segment,
        {{ add_days('months.month_end', 'run.collection_days') }} <= run.as_of as is_complete,
        tries.first_attempts,
        coalesce(failures.failed, 0) as failed_invoices,
        coalesce(failures.recovered, 0) as recovered_invoices,
        -- One amount without a rate leaves the sum unknown.
        case when coalesce(failures.valued, 0) = coalesce(failures.failed, 0) then coalesce(failures.failed_amount, 0) end
            as failed_amount,
        case when coalesce(failures.valued, 0) = coalesce(failures.failed, 0) then coalesce(failures.recovered_amount, 0) end
            as recovered_amount,
        failures.xx,
        failures.xy,
        failures.yy,
        failures.median_days,
        failures.p90_days,
        open_invoices.invoices as open_invoices,
        open_invoices.valued as open_valued,
        open_invoices.amount as open_amount,
        cards.cards
    from cells
    inner join months on months.month_start = cells.month_start
    inner join tries on tries.month_start = cells.month_start
    cross join run
    left join failures
        on failures.month_start = cells.month_start
        and failures.dimension = cells.dimension
        and failures.segment = cells.segment
    left join open_invoices
        on open_invoices.month_start = cells.month_start
        and cells.dimension = 'all'
    left join cards
        on cards.month_start = cells.month_start
        and cells.dimension = 'all'
),

rated as (
    select
        *,
        case when is_complete then {{ ratio('recovered_amount', 'failed_amount') }} end as recovery_rate,
        case when is_complete then recovered_invoices end as recovered_when_final,
        case when is_complete then failed_invoices end as failed_when_final,
        case
            when is_complete and recovered_amount is not null
                then {{ ratio_of_sums_margin('failed_invoices', 'failed_amount', 'recovered_amount', 'xx', 'xy', 'yy') }}
        end as margin
    from described
)

select
    month_start,
    dimension,
    segment,
    is_complete,
    first_attempts,
    {{ rate_columns('failed_payment_rate', 'failed_invoices', 'first_attempts') }},
    recovery_rate,
    cast(recovered_amount as decimal(18, 4)) as recovery_rate_numerator,
    cast(failed_amount as decimal(18, 4)) as recovery_rate_denominator,
    -- Where all or nothing was recovered, the sums tell no spread.
    case when margin > 0 then round(greatest(recovery_rate - margin, 0.0), 6) end as recovery_rate_low,
    case when margin > 0 then round(least(recovery_rate + margin, 1.0), 6) end as recovery_rate_high,
    {{ ratio('recovered_when_final', 'failed_when_final') }} as invoice_recovery_rate,
    recovered_invoices as invoice_recovery_rate_numerator,
    failed_invoices as invoice_recovery_rate_denominator,
    {{ wilson_low('recovered_when_final', 'failed_when_final') }} as invoice_recovery_rate_low,
    {{ wilson_high('recovered_when_final', 'failed_when_final') }} as invoice_recovery_rate_high,
    case when is_complete then round(median_days, 1) end as days_to_recovery_median,
    case when is_complete then round(p90_days, 1) end as days_to_recovery_p90,
    case when dimension = 'all' then coalesce(open_invoices, 0) end as unpaid_invoices,
    cast(
        case when dimension = 'all' and coalesce(open_valued, 0) = coalesce(open_invoices, 0) then coalesce(open_amount, 0) end
        as decimal(18, 4)
    ) as unpaid_invoice_amount,
    case when dimension = 'all' then coalesce(cards, 0) end as cards_expiring_next_month
from rated
