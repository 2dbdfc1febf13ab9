with run as (
    select * from "warehouse"."intermediate"."int_run_context"
),

-- What became of messages.
refused as (
    select
        message.customer_id,
        message.channel,
        message.event as reason,
        cast(message.occurred_at at time zone 'UTC' at time zone run.timezone as date) as since
    from "warehouse"."staging"."stg_messages" as message
    cross join run
    where message.event in ('unsubscribed', 'complained', 'bounced')
),

-- What the sending systems keep, each in its own words.
listed as (
    select
        entry.customer_id,
        sha256(lower(trim(entry.email))) as email_hash,
        regexp_replace(entry.phone, '[^0-9]', '', 'g') as phone_digits,
        entry.channel,
        case
            when lower(entry.reason) like '%unsub%' then 'unsubscribed'
            when lower(entry.reason) like '%bounce%' then 'bounced'
            when lower(entry.reason) like '%complain%' or lower(entry.reason) like '%spam%' then 'complained'
            else 'blocked'
        end as reason,
        -- The newest delivery that still holds an entry confirms it.
        greatest(cast(entry.suppressed_at at time zone 'UTC' at time zone run.timezone as date), entry.known_on) as since
    from "warehouse"."staging"."stg_suppressions" as entry
    cross join run
),

-- An address that must not be written to is so whoever has it.
refusals as (
    select customer_id, channel, reason, since from refused

    union all

    select customer_id, channel, reason, since
    from listed
    where customer_id is not null

    union all

    select address.customer_id, listed.channel, listed.reason, listed.since
    from listed
    inner join "warehouse"."intermediate"."int_customer_emails" as address on address.email_hash = listed.email_hash

    union all

    select record.customer_id, listed.channel, listed.reason, listed.since
    from listed
    inner join "warehouse"."staging"."stg_customers" as record on regexp_replace(record.phone, '[^0-9]', '', 'g') = listed.phone_digits
    where listed.phone_digits <> ''
),

-- A refusal without a day is one that no later consent can lift.
newest as (
    select
        customer_id,
        channel,
        reason,
        case when count(*) = count(since) then max(since) end as since
    from refusals
    group by customer_id, channel, reason
),

-- Who unsubscribed and later gave consent for the channel again, under the same id, may be written to; all else stays.
standing as (
    select newest.customer_id, newest.channel, newest.reason, newest.since
    from newest
    where newest.reason <> 'unsubscribed'
        or not exists (
            select 1
            from "warehouse"."intermediate"."int_stated_consents" as consent
            where consent.customer_id = newest.customer_id
                and consent.channel = newest.channel
                and consent.status = 'granted'
                and consent.changed_on > newest.since
        )
)

-- What stands under any id of a customer holds for the customer.
select
    customer_id,
    channel,
    reason,
    case when count(*) = count(since) then max(since) end as since
from (
        select feed.* replace (coalesce(identity.canonical_id, feed.customer_id) as customer_id)
        from standing as feed
        left join "warehouse"."intermediate"."int_canonical_ids" as identity on identity.customer_id = feed.customer_id
    )
group by customer_id, channel, reason

union all

select
    request.customer_id,
    cast(null as varchar) as channel,
    'erasure_requested' as reason,
    min(cast(request.requested_at at time zone 'UTC' at time zone run.timezone as date)) as since
from (
        select feed.* replace (coalesce(identity.canonical_id, feed.customer_id) as customer_id)
        from "warehouse"."staging"."stg_erasure_requests" as feed
        left join "warehouse"."intermediate"."int_canonical_ids" as identity on identity.customer_id = feed.customer_id
    ) as request
cross join run
group by request.customer_id