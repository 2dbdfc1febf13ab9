
    
      
    

    create  table
      "warehouse"."marts"."fct_churn_events__dbt_tmp"
  
  (
    event_id varchar not null,
    customer_key varchar,
    period_number integer,
    happened_on date,
    known_on date,
    end_kind varchar,
    is_contractual boolean,
    is_voluntary boolean,
    is_involuntary boolean,
    is_early boolean,
    is_cancelled_before_start boolean,
    is_trial_not_converted boolean,
    mrr_lost decimal(18,4)
    
    )
 ;
    
    
    insert into "warehouse"."marts"."fct_churn_events__dbt_tmp" 
  (
    
      
      
      event_id ,
    
      
      
      customer_key ,
    
      
      
      period_number ,
    
      
      
      happened_on ,
    
      
      
      known_on ,
    
      
      
      end_kind ,
    
      
      
      is_contractual ,
    
      
      
      is_voluntary ,
    
      
      
      is_involuntary ,
    
      
      
      is_early ,
    
      
      
      is_cancelled_before_start ,
    
      
      
      is_trial_not_converted ,
    
      
      
      mrr_lost 
    
  )
 (
      
    select event_id, customer_key, period_number, happened_on, known_on, end_kind, is_contractual, is_voluntary, is_involuntary, is_early, is_cancelled_before_start, is_trial_not_converted, mrr_lost
    from (
        with run as (
    select * from "warehouse"."intermediate"."int_run_context"
),

losses as (
    select
        customer_id,
        'period-' || period_number as event,
        period_number,
        happened_on,
        ended_on as known_on,
        end_kind,
        is_early
    from "warehouse"."intermediate"."int_active_periods"
    where is_churn

    union all

    -- Nobody was active, so nobody is lost: events of their own labels.
    select
        customer_id,
        case end_kind when 'cancelled_before_start' then 'before-start-' else 'trial-' end
        || row_number() over (partition by customer_id, end_kind order by ended_on, subscription_id) as event,
        cast(null as integer) as period_number,
        ended_on as happened_on,
        ended_on as known_on,
        end_kind,
        false as is_early
    from "warehouse"."intermediate"."int_subscription_periods"
    where is_never_active
),

-- What the customer paid per month on the last day before the loss, over all subscriptions that ran on it.
prices as (
    select
        losses.customer_id,
        losses.event,
        case
        when version.currency = run.currency then case
        when version.discount_ends_on <= (losses.happened_on + cast(-1 as integer)) then version.monthly_list_price
        else version.monthly_list_price - version.monthly_discount
    end
        else cast(round((case
        when version.discount_ends_on <= (losses.happened_on + cast(-1 as integer)) then version.monthly_list_price
        else version.monthly_list_price - version.monthly_discount
    end) * fx.rate_to_business, 4) as decimal(18, 4))
    end as mrr
    from losses
    cross join run
    inner join "warehouse"."intermediate"."int_subscription_periods" as period
        on period.customer_id = losses.customer_id
        and period.active_from < losses.happened_on
        and (period.ended_on is null or period.ended_on >= losses.happened_on)
    inner join "warehouse"."intermediate"."int_subscription_versions" as version
        on version.subscription_id = period.subscription_id
        and version.valid_from < losses.happened_on
        and (version.valid_to is null or version.valid_to >= losses.happened_on)
    left join "warehouse"."intermediate"."int_fx_rates" as fx
        on fx.currency = version.currency
        and fx.day = (losses.happened_on + cast(-1 as integer))
    where losses.end_kind <> 'inactivity'
),

revenue as (
    -- One price without a rate leaves the sum unknown.
    select
        customer_id,
        event,
        case when count(mrr) = count(*) then sum(mrr) end as mrr
    from prices
    group by customer_id, event
)

select
    customer.customer_key || '-' || losses.event as event_id,
    customer.customer_key,
    losses.period_number,
    losses.happened_on,
    losses.known_on,
    losses.end_kind,
    losses.end_kind <> 'inactivity' as is_contractual,
    losses.end_kind in ('cancelled', 'term_end', 'cancelled_before_start', 'trial_not_converted') as is_voluntary,
    losses.end_kind = 'involuntary' as is_involuntary,
    losses.is_early,
    losses.end_kind = 'cancelled_before_start' as is_cancelled_before_start,
    losses.end_kind = 'trial_not_converted' as is_trial_not_converted,
    cast(
        case
            when run.has_subscriptions and revenue.event is null then 0
            when run.has_subscriptions then revenue.mrr
        end as decimal(18, 4)
    ) as mrr_lost
from losses
cross join run
inner join "warehouse"."intermediate"."int_customers" as customer on customer.customer_id = losses.customer_id
left join revenue on revenue.customer_id = losses.customer_id and revenue.event = losses.event
    ) as model_subq
    );
  