
    
      
    

    create  table
      "warehouse"."marts"."winback_indicators_monthly__dbt_tmp"
  
  (
    month_start date not null,
    indicator integer not null,
    name varchar not null,
    campaign varchar not null,
    is_complete boolean,
    value double,
    numerator double,
    denominator double,
    low double,
    high double
    
    )
 ;
    
    
    insert into "warehouse"."marts"."winback_indicators_monthly__dbt_tmp" 
  (
    
      
      
      month_start ,
    
      
      
      indicator ,
    
      
      
      name ,
    
      
      
      campaign ,
    
      
      
      is_complete ,
    
      
      
      value ,
    
      
      
      numerator ,
    
      
      
      denominator ,
    
      
      
      low ,
    
      
      
      high 
    
  )
 (
      
    select month_start, indicator, name, campaign, is_complete, value, numerator, denominator, low, high
    from (
        with run as (
    select * from "warehouse"."intermediate"."int_run_context"
),

months as (
    select
        month_start,
        is_complete,
        customer_churn_rate,
        customer_churn_rate_numerator,
        customer_churn_rate_denominator,
        customer_churn_rate_low,
        customer_churn_rate_high,
        customers_reactivated,
        customers_lost,
        (last_day(month_start) + cast(run.winback_days as integer)) <= run.as_of as is_final,
        (last_day(month_start) + cast(run.winback_days + run.winback_value_days as integer)) <= run.as_of as is_value_final,
        (last_day(month_start) + cast(run.winback_value_days as integer)) <= run.as_of as is_return_final
    from "warehouse"."marts"."kpi_monthly"
    cross join run
),

changes as (
    select
        *,
        lag(customer_churn_rate) over by_month as previous_rate,
        lag(customer_churn_rate_low) over by_month as previous_rate_low,
        lag(customer_churn_rate_high) over by_month as previous_rate_high
    from months
    window by_month as (order by month_start)
),

contacts as (
    select
        contacted_month as month_start,
        case when grouping(campaign) = 1 then 'all' else campaign end as campaign,
        count(*) filter (where arm = 'treatment') as contacted,
    count(*) filter (where arm = 'control') as controls,
    count(*) filter (where not is_final) as pending,
    count(*) filter (where arm = 'treatment' and is_final) as treated,
    count(*) filter (where arm = 'control' and is_final) as untreated,
    count(*) filter (where arm = 'treatment' and is_final and is_won_back) as won_back,
    count(*) filter (where arm = 'control' and is_final and is_won_back) as returned_untreated,
    count(*) filter (where arm = 'treatment' and is_value_final) as valued,
    count(*) filter (where arm = 'control' and is_value_final) as valued_untreated,
    count(*) filter (where arm = 'treatment' and is_value_final and is_won_back) as valued_won_back,
    count(*) filter (where is_value_final and margin_after is null) as unknown_margins,
    count(*) filter (where is_value_final and (contact_cost is null or discount_cost is null)) as unknown_costs,
    sum(contact_cost + discount_cost) filter (where arm = 'treatment' and is_value_final) as cost,
    sum(margin_after - contact_cost) filter (where arm = 'treatment' and is_value_final) as net,
    sum(margin_after) filter (where arm = 'control' and is_value_final) as net_untreated,
    sum(cast(margin_after - contact_cost as decimal(16, 2)) * cast(margin_after - contact_cost as decimal(16, 2)))
        filter (where arm = 'treatment' and is_value_final) as net_squared,
    sum(cast(margin_after as decimal(16, 2)) * cast(margin_after as decimal(16, 2)))
        filter (where arm = 'control' and is_value_final) as net_untreated_squared
    from "warehouse"."intermediate"."int_winback_contacts"
    group by grouping sets ((contacted_month), (contacted_month, campaign))
),

-- A month without contacts has its line for all campaigns, without a figure.
campaigns as (
    select
        months.month_start, cells.campaign, months.is_final, months.is_value_final,
        contacts.won_back, contacts.treated, contacts.valued, contacts.valued_won_back,
        round(cast(won_back as double) / nullif(cast(treated as double), 0), 6) as winback_rate,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when treated > 0 and won_back is not null then round(
            least(greatest(
                (
                    cast(won_back as double) + 1.959963984540054 * 1.959963984540054 / 2
                    - 1.959963984540054 * sqrt(cast(won_back as double) * (cast(treated as double) - cast(won_back as double)) / cast(treated as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(treated as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as winback_rate_low,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when treated > 0 and won_back is not null then round(
            least(greatest(
                (
                    cast(won_back as double) + 1.959963984540054 * 1.959963984540054 / 2
                    + 1.959963984540054 * sqrt(cast(won_back as double) * (cast(treated as double) - cast(won_back as double)) / cast(treated as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(treated as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as winback_rate_high,
    round(cast(returned_untreated as double) / nullif(cast(untreated as double), 0), 6) as control_return_rate,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when untreated > 0 and returned_untreated is not null then round(
            least(greatest(
                (
                    cast(returned_untreated as double) + 1.959963984540054 * 1.959963984540054 / 2
                    - 1.959963984540054 * sqrt(cast(returned_untreated as double) * (cast(untreated as double) - cast(returned_untreated as double)) / cast(untreated as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(untreated as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as control_return_rate_low,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when untreated > 0 and returned_untreated is not null then round(
            least(greatest(
                (
                    cast(returned_untreated as double) + 1.959963984540054 * 1.959963984540054 / 2
                    + 1.959963984540054 * sqrt(cast(returned_untreated as double) * (cast(untreated as double) - cast(returned_untreated as double)) / cast(untreated as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(untreated as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as control_return_rate_high,
    case when unknown_costs = 0 then cost end as known_cost,
    case
        when unknown_margins = 0 and unknown_costs = 0 and valued > 0 and valued_untreated > 0
            then cast(net as double) / valued - cast(net_untreated as double) / valued_untreated
    end as profit_per_head,
    -- 1.96 standard errors of a difference of two means of unequal variance (Welch).
    case
        when unknown_margins = 0 and unknown_costs = 0 and valued > 1 and valued_untreated > 1
            then 1.959963984540054 * sqrt(
                greatest(
        cast(net_squared as double) - cast(net as double) * cast(net as double) / valued, 0.0
    ) / valued / (valued - 1)
                + greatest(
        cast(net_untreated_squared as double) - cast(net_untreated as double) * cast(net_untreated as double) / valued_untreated, 0.0
    ) / valued_untreated / (valued_untreated - 1)
            )
    end as profit_margin
    from (
        select month_start, campaign from contacts
        union
        select month_start, 'all' from months
    ) as cells
    inner join months on months.month_start = cells.month_start
    left join contacts on contacts.month_start = cells.month_start and contacts.campaign = cells.campaign
),

-- Lifetimes that ended in the month, first ones and those after a return.
lifetimes as (
    select
        cast(date_trunc('month', ended_on) as date) as month_start,
        percentile_cont(0.5) within group (order by cast(happened_on - started_on as integer))
            filter (where period_number = 1) as first_days,
        percentile_cont(0.5) within group (order by cast(happened_on - started_on as integer))
            filter (where period_number > 1) as later_days
    from "warehouse"."intermediate"."int_active_periods"
    where ended_on is not null
    group by 1
),

values_of_returns as (
    select
        cast(date_trunc('month', returned_on) as date) as month_start,
        count(*) as returns,
        count(*) filter (where margin_before is null or margin_after is null) as unknown_margins,
        sum(margin_before) as before,
        sum(margin_after) as after,
        sum(cast(margin_before as decimal(16, 2)) * cast(margin_before as decimal(16, 2))) as xx,
        sum(cast(margin_before as decimal(16, 2)) * cast(margin_after as decimal(16, 2))) as xy,
        sum(cast(margin_after as decimal(16, 2)) * cast(margin_after as decimal(16, 2))) as yy
    from "warehouse"."intermediate"."int_returns"
    group by 1
),

evolution as (
    select
        *,
        cast(after as double) / nullif(cast(before as double), 0) as value,
        case
        when returns > 1 and before > 0
            then 1.959963984540054 * sqrt(
                greatest(
                    cast(yy as double)
                    - 2 * cast(after as double) / cast(before as double) * cast(xy as double)
                    + power(cast(after as double) / cast(before as double), 2) * cast(xx as double),
                    0.0
                ) * returns / (returns - 1)
            ) / cast(before as double)
    end as margin
    from values_of_returns
    where unknown_margins = 0
),

indicators as (
    select
        month_start, 1 as indicator, 'attrition' as name, 'all' as campaign, is_complete,
        customer_churn_rate as value,
        cast(customer_churn_rate_numerator as double) as numerator,
        cast(customer_churn_rate_denominator as double) as denominator,
        customer_churn_rate_low as low,
        customer_churn_rate_high as high
    from months

    union all

    select
        month_start, 2, 'winback_rate', campaign, is_final,
        winback_rate, won_back, treated, winback_rate_low, winback_rate_high
    from campaigns

    union all

    select
        months.month_start, 3, 'holding_duration_ratio', 'all', months.is_complete,
        round(cast(lifetimes.later_days as double) / nullif(cast(lifetimes.first_days as double), 0), 6), lifetimes.later_days, lifetimes.first_days, null, null
    from months
    left join lifetimes on lifetimes.month_start = months.month_start

    union all

    select
        month_start, 4, 'churn_rate_change', 'all', is_complete,
        round(customer_churn_rate - previous_rate, 6), customer_churn_rate, previous_rate,
        round(
        customer_churn_rate - previous_rate
        - sqrt(power(customer_churn_rate - customer_churn_rate_low, 2) + power(previous_rate_high - previous_rate, 2)), 6),
        round(
        customer_churn_rate - previous_rate
        + sqrt(power(customer_churn_rate_high - customer_churn_rate, 2) + power(previous_rate - previous_rate_low, 2)), 6)
    from changes

    union all

    select
        months.month_start, 5, 'customer_value_ratio', 'all', months.is_return_final,
        round(evolution.value, 6), evolution.after, evolution.before,
        round(evolution.value - evolution.margin, 6), round(evolution.value + evolution.margin, 6)
    from months
    left join evolution on evolution.month_start = months.month_start

    union all

    select
        month_start, 6, 'winback_profit_per_head', campaign, is_value_final,
        round(profit_per_head, 4), round(profit_per_head * valued, 4), valued,
        round(profit_per_head - profit_margin, 4), round(profit_per_head + profit_margin, 4)
    from campaigns

    union all

    select
        month_start, 7, 'winback_cost_per_customer', campaign, is_value_final,
        round(cast(known_cost as double) / nullif(cast(valued_won_back as double), 0), 4), known_cost, valued_won_back, null, null
    from campaigns

    union all

    select
        month_start, 8, 'attrition_movements', 'all', is_complete,
        customers_reactivated - customers_lost, customers_reactivated, customers_lost, null, null
    from months

    union all

    select
        month_start, 9, 'winback_lift', campaign, is_final,
        round(winback_rate - control_return_rate, 6), winback_rate, control_return_rate,
        round(
        winback_rate - control_return_rate
        - sqrt(power(winback_rate - winback_rate_low, 2) + power(control_return_rate_high - control_return_rate, 2)), 6),
        round(
        winback_rate - control_return_rate
        + sqrt(power(winback_rate_high - winback_rate, 2) + power(control_return_rate - control_return_rate_low, 2)), 6)
    from campaigns
)

-- What cannot be observed yet is missing, not zero.
select
    month_start,
    cast(indicator as integer) as indicator,
    name,
    campaign,
    is_complete,
    case when is_complete then cast(value as double) end as value,
    case when is_complete then cast(numerator as double) end as numerator,
    case when is_complete then cast(denominator as double) end as denominator,
    case when is_complete then cast(low as double) end as low,
    case when is_complete then cast(high as double) end as high
from indicators
    ) as model_subq
    );
  