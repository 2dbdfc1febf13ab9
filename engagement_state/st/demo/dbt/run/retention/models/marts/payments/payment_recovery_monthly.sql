
    
      
    

    create  table
      "warehouse"."marts"."payment_recovery_monthly__dbt_tmp"
  
  (
    month_start date not null,
    dimension varchar not null,
    segment varchar not null,
    is_complete boolean,
    first_attempts bigint,
    failed_payment_rate double,
    failed_payment_rate_numerator bigint,
    failed_payment_rate_denominator bigint,
    failed_payment_rate_low double,
    failed_payment_rate_high double,
    recovery_rate double,
    recovery_rate_numerator decimal(18,4),
    recovery_rate_denominator decimal(18,4),
    recovery_rate_low double,
    recovery_rate_high double,
    invoice_recovery_rate double,
    invoice_recovery_rate_numerator bigint,
    invoice_recovery_rate_denominator bigint,
    invoice_recovery_rate_low double,
    invoice_recovery_rate_high double,
    days_to_recovery_median double,
    days_to_recovery_p90 double,
    unpaid_invoices bigint,
    unpaid_invoice_amount decimal(18,4),
    cards_expiring_next_month bigint
    
    )
 ;
    
    
    insert into "warehouse"."marts"."payment_recovery_monthly__dbt_tmp" 
  (
    
      
      
      month_start ,
    
      
      
      dimension ,
    
      
      
      segment ,
    
      
      
      is_complete ,
    
      
      
      first_attempts ,
    
      
      
      failed_payment_rate ,
    
      
      
      failed_payment_rate_numerator ,
    
      
      
      failed_payment_rate_denominator ,
    
      
      
      failed_payment_rate_low ,
    
      
      
      failed_payment_rate_high ,
    
      
      
      recovery_rate ,
    
      
      
      recovery_rate_numerator ,
    
      
      
      recovery_rate_denominator ,
    
      
      
      recovery_rate_low ,
    
      
      
      recovery_rate_high ,
    
      
      
      invoice_recovery_rate ,
    
      
      
      invoice_recovery_rate_numerator ,
    
      
      
      invoice_recovery_rate_denominator ,
    
      
      
      invoice_recovery_rate_low ,
    
      
      
      invoice_recovery_rate_high ,
    
      
      
      days_to_recovery_median ,
    
      
      
      days_to_recovery_p90 ,
    
      
      
      unpaid_invoices ,
    
      
      
      unpaid_invoice_amount ,
    
      
      
      cards_expiring_next_month 
    
  )
 (
      
    select month_start, dimension, segment, is_complete, first_attempts, failed_payment_rate, failed_payment_rate_numerator, failed_payment_rate_denominator, failed_payment_rate_low, failed_payment_rate_high, recovery_rate, recovery_rate_numerator, recovery_rate_denominator, recovery_rate_low, recovery_rate_high, invoice_recovery_rate, invoice_recovery_rate_numerator, invoice_recovery_rate_denominator, invoice_recovery_rate_low, invoice_recovery_rate_high, days_to_recovery_median, days_to_recovery_p90, unpaid_invoices, unpaid_invoice_amount, cards_expiring_next_month
    from (
        with run as (
    select * from "warehouse"."intermediate"."int_run_context"
),

months as (
    select month_start, max(day) as last_day, max(month_end) as month_end
    from "warehouse"."intermediate"."int_calendar"
    group by month_start
),

invoices as (
    select
        *,
        cast(date_trunc('month', first_attempt_on) as date) as month_start,
        case when recovered_on is not null then cast(recovered_on - first_attempt_on as integer) end as days
    from "warehouse"."intermediate"."int_invoice_collection"
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
    from "warehouse"."intermediate"."int_invoice_collection" as invoice
    inner join months
        on months.last_day >= case
            when invoice.is_first_failed then invoice.first_attempt_on else (invoice.due_on + cast(1 as integer))
        end
        and months.last_day < invoice.collectable_until
        and (invoice.collected_on is null or invoice.collected_on > months.last_day)
    where invoice.is_first_failed or invoice.first_attempt_on is null
    group by months.month_start
),

cards as (
    select months.month_start, count(*) as cards
    from "warehouse"."intermediate"."int_cards" as card
    inner join months
        on months.month_start = cast(cast(date_trunc('month', card.expires_on) as date) + to_months(-1) as date)
        and months.last_day >= card.valid_from
        and (card.valid_to is null or card.valid_to > months.last_day)
    inner join "warehouse"."intermediate"."int_active_periods" as period
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
        (months.month_end + cast(run.collection_days as integer)) <= run.as_of as is_complete,
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
        case when is_complete then round(cast(recovered_amount as double) / nullif(cast(failed_amount as double), 0), 6) end as recovery_rate,
        case when is_complete then recovered_invoices end as recovered_when_final,
        case when is_complete then failed_invoices end as failed_when_final,
        case
            when is_complete and recovered_amount is not null
                then case
        when failed_invoices > 1 and failed_amount > 0
            then 1.959963984540054 * sqrt(
                greatest(
                    cast(yy as double)
                    - 2 * cast(recovered_amount as double) / cast(failed_amount as double) * cast(xy as double)
                    + power(cast(recovered_amount as double) / cast(failed_amount as double), 2) * cast(xx as double),
                    0.0
                ) * failed_invoices / (failed_invoices - 1)
            ) / cast(failed_amount as double)
    end
        end as margin
    from described
)

select
    month_start,
    dimension,
    segment,
    is_complete,
    first_attempts,
    round(cast(failed_invoices as double) / nullif(cast(first_attempts as double), 0), 6) as failed_payment_rate,
    failed_invoices as failed_payment_rate_numerator,
    first_attempts as failed_payment_rate_denominator,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when first_attempts > 0 and failed_invoices is not null then round(
            least(greatest(
                (
                    cast(failed_invoices as double) + 1.959963984540054 * 1.959963984540054 / 2
                    - 1.959963984540054 * sqrt(cast(failed_invoices as double) * (cast(first_attempts as double) - cast(failed_invoices as double)) / cast(first_attempts as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(first_attempts as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as failed_payment_rate_low,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when first_attempts > 0 and failed_invoices is not null then round(
            least(greatest(
                (
                    cast(failed_invoices as double) + 1.959963984540054 * 1.959963984540054 / 2
                    + 1.959963984540054 * sqrt(cast(failed_invoices as double) * (cast(first_attempts as double) - cast(failed_invoices as double)) / cast(first_attempts as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(first_attempts as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as failed_payment_rate_high,
    recovery_rate,
    cast(recovered_amount as decimal(18, 4)) as recovery_rate_numerator,
    cast(failed_amount as decimal(18, 4)) as recovery_rate_denominator,
    -- least() and greatest() skip nulls.
    case when margin is not null then round(greatest(recovery_rate - margin, 0.0), 6) end as recovery_rate_low,
    case when margin is not null then round(least(recovery_rate + margin, 1.0), 6) end as recovery_rate_high,
    round(cast(recovered_when_final as double) / nullif(cast(failed_when_final as double), 0), 6) as invoice_recovery_rate,
    recovered_invoices as invoice_recovery_rate_numerator,
    failed_invoices as invoice_recovery_rate_denominator,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when failed_when_final > 0 and recovered_when_final is not null then round(
            least(greatest(
                (
                    cast(recovered_when_final as double) + 1.959963984540054 * 1.959963984540054 / 2
                    - 1.959963984540054 * sqrt(cast(recovered_when_final as double) * (cast(failed_when_final as double) - cast(recovered_when_final as double)) / cast(failed_when_final as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(failed_when_final as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as invoice_recovery_rate_low,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when failed_when_final > 0 and recovered_when_final is not null then round(
            least(greatest(
                (
                    cast(recovered_when_final as double) + 1.959963984540054 * 1.959963984540054 / 2
                    + 1.959963984540054 * sqrt(cast(recovered_when_final as double) * (cast(failed_when_final as double) - cast(recovered_when_final as double)) / cast(failed_when_final as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(failed_when_final as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as invoice_recovery_rate_high,
    case when is_complete then round(median_days, 1) end as days_to_recovery_median,
    case when is_complete then round(p90_days, 1) end as days_to_recovery_p90,
    case when dimension = 'all' then coalesce(open_invoices, 0) end as unpaid_invoices,
    cast(
        case when dimension = 'all' and coalesce(open_valued, 0) = coalesce(open_invoices, 0) then coalesce(open_amount, 0) end
        as decimal(18, 4)
    ) as unpaid_invoice_amount,
    case when dimension = 'all' then coalesce(cards, 0) end as cards_expiring_next_month
from rated
    ) as model_subq
    );
  