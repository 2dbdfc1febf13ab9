-- Contacts with customers who were lost then, by lists of the pipeline (both arms) and by campaigns of other systems.
with run as (
    select * from {{ ref('int_run_context') }}
),

contacts as (
    select
        customer.customer_id,
        contact.play as campaign,
        contact.list_id,
        contact.offer,
        contact.arm,
        contact.day as contacted_on,
        case when contact.arm = 'treatment' then contact.contact_cost else 0 end as contact_cost,
        contact.giveaway_share
    from {{ source('control', 'contacts') }} as contact
    inner join {{ ref('int_customers') }} as customer on customer.customer_key = contact.customer_key
    inner join run on contact.day <= run.as_of
    where contact.goal = 'win_back'

    union all

    -- Who gets several messages of a campaign on a day is contacted once.
    select
        message.customer_id,
        message.campaign,
        message.list_id,
        cast(null as varchar) as offer,
        'treatment' as arm,
        message.sent_on as contacted_on,
        cast(null as decimal(18, 6)) as contact_cost,
        cast(null as decimal(9, 6)) as giveaway_share
    from {{ ref('int_message_outcomes') }} as message
    inner join run on {{ contains_any('message.campaign', 'run.winback_campaigns') }}
    where message.play is null
    group by message.customer_id, message.campaign, message.list_id, message.sent_on
),

-- What was paid for a campaign in a month, shared by its contacts of that month, goes before what a play says it costs.
names as (
    select campaign, campaign as name from contacts
    union
    select campaign, 'play_' || campaign from contacts
    union
    select campaign, list_id from contacts where list_id <> 'none'
),

costs as (
    select
        names.campaign,
        {{ month_start('cost.day') }} as month_start,
        sum({{ in_business_currency('cost.amount', 'cost') }}) as amount
    from {{ ref('stg_marketing_costs') }} as cost
    cross join run
    inner join names on names.name = cost.campaign
    left join {{ ref('int_fx_rates') }} as fx on fx.currency = cost.currency and fx.day = cost.day
    group by 1, 2
),

periods as (
    select
        customer_id,
        period_number,
        ended_on,
        happened_on,
        end_kind,
        lead(started_on) over (partition by customer_id order by period_number) as next_start,
        is_churn
    from {{ ref('int_active_periods') }}
),

-- Who was not lost at the end of the day of contact is no contact of win-back.
lost as (
    select
        contacts.*,
        periods.period_number,
        periods.happened_on as lost_on,
        periods.end_kind as cause,
        {{ days_between('periods.ended_on', 'contacts.contacted_on') }} as delay_days,
        case
            when periods.next_start <= {{ add_days('contacts.contacted_on', 'run.winback_days') }} then periods.next_start
        end as back_on,
        run.as_of,
        run.winback_days,
        run.winback_value_days
    from contacts
    cross join run
    inner join periods
        on periods.customer_id = contacts.customer_id
        and periods.is_churn
        and periods.ended_on <= contacts.contacted_on
        and (periods.next_start is null or periods.next_start > contacts.contacted_on)
),

-- A return counts for the last contact before it.
credited as (
    select
        *,
        back_on is not null and row_number() over (
            partition by customer_id, period_number order by contacted_on desc, campaign, list_id
        ) = 1 as is_won_back,
        count(*) filter (where arm = 'treatment') over (partition by campaign, {{ month_start('contacted_on') }})
            as treated
    from lost
)

select
    credited.customer_id,
    credited.campaign,
    credited.list_id,
    credited.arm,
    coalesce(credited.offer, 'unknown') as offer,
    credited.cause,
    case
        when credited.delay_days <= 30 then '0-30'
        when credited.delay_days <= 90 then '31-90'
        when credited.delay_days <= 180 then '91-180'
        else '181+'
    end as delay,
    credited.contacted_on,
    {{ month_start('credited.contacted_on') }} as contacted_month,
    credited.lost_on,
    credited.is_won_back,
    case when credited.is_won_back then credited.back_on end as returned_on,
    {{ add_days('credited.contacted_on', 'credited.winback_days') }} <= credited.as_of as is_final,
    {{ add_days('credited.contacted_on', 'credited.winback_days + credited.winback_value_days') }} <= credited.as_of
        as is_value_final,
    returned.margin_before,
    case when credited.is_won_back then returned.margin_after else 0 end as margin_after,
    cast(
        case
            when credited.arm <> 'treatment' then 0
            when costs.amount is not null then round(costs.amount / credited.treated, 4)
            else credited.contact_cost
        end as decimal(18, 4)
    ) as contact_cost,
    cast(
        case
            when credited.arm = 'treatment' and credited.is_won_back
                then round(coalesce(credited.giveaway_share, 0) * returned.margin_after, 4)
            else 0
        end as decimal(18, 4)
    ) as discount_cost
from credited
left join {{ ref('int_returns') }} as returned
    on credited.is_won_back
    and returned.customer_id = credited.customer_id
    and returned.period_number = credited.period_number + 1
left join costs
    on costs.campaign = credited.campaign
    and costs.month_start = {{ month_start('credited.contacted_on') }}
