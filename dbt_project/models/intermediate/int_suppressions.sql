with run as (
    select * from {{ ref('int_run_context') }}
),

refused as (
    select
        message.customer_id,
        message.channel,
        message.event as reason,
        max({{ day_of('message.occurred_at', 'run.timezone') }}) as since
    from {{ ref('stg_messages') }} as message
    cross join run
    where message.event in ('unsubscribed', 'complained', 'bounced')
    group by message.customer_id, message.channel, message.event
)

-- Who unsubscribed and later gave consent for the channel again may be written to; a complaint or a bounce stays.
select refused.customer_id, refused.channel, refused.reason, refused.since
from refused
where refused.reason <> 'unsubscribed'
    or not exists (
        select 1
        from {{ ref('int_consents') }} as consent
        where consent.customer_id = refused.customer_id
            and consent.channel = refused.channel
            and consent.status = 'granted'
            and consent.changed_on > refused.since
    )

union all

select
    request.customer_id,
    cast(null as varchar) as channel,
    'erasure_requested' as reason,
    min({{ day_of('request.requested_at', 'run.timezone') }}) as since
from {{ ref('stg_erasure_requests') }} as request
cross join run
group by request.customer_id
