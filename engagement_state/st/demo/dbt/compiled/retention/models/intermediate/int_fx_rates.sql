-- A day without a rate has the last one before it.
with rates as (
    select
        currency,
        day as valid_from,
        lead(day) over (partition by currency order by day) as valid_to,
        cast(rate_to_business as decimal(18, 8)) as rate_to_business
    from "warehouse"."staging"."stg_fx_rates"
),

bounds as (
    select min(valid_from) as first_day, (select as_of from "warehouse"."intermediate"."int_run_context") as last_day
    from rates
),

days as (
    select cast(unnest(generate_series(first_day, last_day, interval 1 day)) as date) as day from bounds
)

select rates.currency, days.day, rates.rate_to_business
from rates
inner join days
    on days.day >= rates.valid_from
    and (rates.valid_to is null or days.day < rates.valid_to)