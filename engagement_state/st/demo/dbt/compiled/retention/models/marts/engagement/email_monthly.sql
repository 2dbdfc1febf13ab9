with recipients as (
    select
        sent_month,
        channel,
        customer_id,
        min(sent_on) as first_sent_on,
        max(sent_on) as last_sent_on,
        bool_and(is_complete) as is_complete,
        bool_or(is_opened or is_machine_opened) as is_opened_at_all,
        count(*) filter (where true) as sent,
        count(*) filter (where is_delivered) as delivered,
        count(*) filter (where is_bounced) as bounced,
        count(*) filter (where is_opened) as opened,
        count(*) filter (where is_machine_opened) as machine_opened,
        count(*) filter (where is_clicked) as clicked,
        count(*) filter (where is_unsubscribed) as unsubscribed,
        count(*) filter (where is_complained) as complained,
        count(*) filter (where is_converted) as converted
    from "warehouse"."intermediate"."int_message_outcomes"
    group by sent_month, channel, campaign, list_id, customer_id
),

-- Opened by a human in one message and by a machine in another: a human.
counted as (
    select
        sent_month,
        channel,
        min(first_sent_on) as first_sent_on,
        max(last_sent_on) as last_sent_on,
        bool_and(is_complete) as is_complete,
        count(distinct customer_id) as customers,
        cast(sum(sent) as bigint) as sent,
        count(*) filter (
            where sent > 0
        ) as sent_recipients,
        cast(sum(delivered) as bigint) as delivered,
        count(*) filter (
            where delivered > 0
        ) as delivered_recipients,
        cast(sum(bounced) as bigint) as bounced,
        count(*) filter (
            where bounced > 0 and delivered = 0
        ) as bounced_recipients,
        cast(sum(opened) as bigint) as opened,
        count(*) filter (
            where opened > 0
        ) as opened_recipients,
        cast(sum(machine_opened) as bigint) as machine_opened,
        count(*) filter (
            where machine_opened > 0 and opened = 0
        ) as machine_opened_recipients,
        cast(sum(clicked) as bigint) as clicked,
        count(*) filter (
            where clicked > 0
        ) as clicked_recipients,
        cast(sum(unsubscribed) as bigint) as unsubscribed,
        count(*) filter (
            where unsubscribed > 0
        ) as unsubscribed_recipients,
        cast(sum(complained) as bigint) as complained,
        count(*) filter (
            where complained > 0
        ) as complained_recipients,
        cast(sum(converted) as bigint) as converted,
        count(*) filter (
            where converted > 0
        ) as converted_recipients,
        count(*) filter (where is_opened_at_all) as opened_at_all_recipients
    from recipients
    group by sent_month, channel
)

select
    counted.sent_month as month_start,
    counted.channel,
    (last_day(counted.sent_month) + cast(run.response_days as integer)) <= run.as_of as is_complete,
    counted.customers,
    counted.sent,
    counted.sent_recipients,
    counted.delivered,
    counted.delivered_recipients,
    counted.bounced,
    counted.bounced_recipients,
    counted.opened,
    counted.opened_recipients,
    counted.machine_opened,
    counted.machine_opened_recipients,
    counted.clicked,
    counted.clicked_recipients,
    counted.unsubscribed,
    counted.unsubscribed_recipients,
    counted.complained,
    counted.complained_recipients,
    counted.converted,
    counted.converted_recipients,
    round(cast(delivered_recipients as double) / nullif(cast(sent_recipients as double), 0), 6) as delivery_rate,
    delivered_recipients as delivery_rate_numerator,
    sent_recipients as delivery_rate_denominator,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when sent_recipients > 0 and delivered_recipients is not null then round(
            least(greatest(
                (
                    cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054 / 2
                    - 1.959963984540054 * sqrt(cast(delivered_recipients as double) * (cast(sent_recipients as double) - cast(delivered_recipients as double)) / cast(sent_recipients as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(sent_recipients as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as delivery_rate_low,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when sent_recipients > 0 and delivered_recipients is not null then round(
            least(greatest(
                (
                    cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054 / 2
                    + 1.959963984540054 * sqrt(cast(delivered_recipients as double) * (cast(sent_recipients as double) - cast(delivered_recipients as double)) / cast(sent_recipients as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(sent_recipients as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as delivery_rate_high,
    round(cast(bounced_recipients as double) / nullif(cast(sent_recipients as double), 0), 6) as bounce_rate,
    bounced_recipients as bounce_rate_numerator,
    sent_recipients as bounce_rate_denominator,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when sent_recipients > 0 and bounced_recipients is not null then round(
            least(greatest(
                (
                    cast(bounced_recipients as double) + 1.959963984540054 * 1.959963984540054 / 2
                    - 1.959963984540054 * sqrt(cast(bounced_recipients as double) * (cast(sent_recipients as double) - cast(bounced_recipients as double)) / cast(sent_recipients as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(sent_recipients as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as bounce_rate_low,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when sent_recipients > 0 and bounced_recipients is not null then round(
            least(greatest(
                (
                    cast(bounced_recipients as double) + 1.959963984540054 * 1.959963984540054 / 2
                    + 1.959963984540054 * sqrt(cast(bounced_recipients as double) * (cast(sent_recipients as double) - cast(bounced_recipients as double)) / cast(sent_recipients as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(sent_recipients as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as bounce_rate_high,
    round(cast(opened_recipients as double) / nullif(cast(delivered_recipients as double), 0), 6) as open_rate,
    opened_recipients as open_rate_numerator,
    delivered_recipients as open_rate_denominator,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when delivered_recipients > 0 and opened_recipients is not null then round(
            least(greatest(
                (
                    cast(opened_recipients as double) + 1.959963984540054 * 1.959963984540054 / 2
                    - 1.959963984540054 * sqrt(cast(opened_recipients as double) * (cast(delivered_recipients as double) - cast(opened_recipients as double)) / cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as open_rate_low,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when delivered_recipients > 0 and opened_recipients is not null then round(
            least(greatest(
                (
                    cast(opened_recipients as double) + 1.959963984540054 * 1.959963984540054 / 2
                    + 1.959963984540054 * sqrt(cast(opened_recipients as double) * (cast(delivered_recipients as double) - cast(opened_recipients as double)) / cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as open_rate_high,
    round(cast(opened_at_all_recipients as double) / nullif(cast(delivered_recipients as double), 0), 6) as open_rate_all,
    opened_at_all_recipients as open_rate_all_numerator,
    delivered_recipients as open_rate_all_denominator,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when delivered_recipients > 0 and opened_at_all_recipients is not null then round(
            least(greatest(
                (
                    cast(opened_at_all_recipients as double) + 1.959963984540054 * 1.959963984540054 / 2
                    - 1.959963984540054 * sqrt(cast(opened_at_all_recipients as double) * (cast(delivered_recipients as double) - cast(opened_at_all_recipients as double)) / cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as open_rate_all_low,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when delivered_recipients > 0 and opened_at_all_recipients is not null then round(
            least(greatest(
                (
                    cast(opened_at_all_recipients as double) + 1.959963984540054 * 1.959963984540054 / 2
                    + 1.959963984540054 * sqrt(cast(opened_at_all_recipients as double) * (cast(delivered_recipients as double) - cast(opened_at_all_recipients as double)) / cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as open_rate_all_high,
    round(cast(clicked_recipients as double) / nullif(cast(delivered_recipients as double), 0), 6) as click_rate,
    clicked_recipients as click_rate_numerator,
    delivered_recipients as click_rate_denominator,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when delivered_recipients > 0 and clicked_recipients is not null then round(
            least(greatest(
                (
                    cast(clicked_recipients as double) + 1.959963984540054 * 1.959963984540054 / 2
                    - 1.959963984540054 * sqrt(cast(clicked_recipients as double) * (cast(delivered_recipients as double) - cast(clicked_recipients as double)) / cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as click_rate_low,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when delivered_recipients > 0 and clicked_recipients is not null then round(
            least(greatest(
                (
                    cast(clicked_recipients as double) + 1.959963984540054 * 1.959963984540054 / 2
                    + 1.959963984540054 * sqrt(cast(clicked_recipients as double) * (cast(delivered_recipients as double) - cast(clicked_recipients as double)) / cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as click_rate_high,
    round(cast(clicked_recipients as double) / nullif(cast(opened_recipients as double), 0), 6) as click_to_open_rate,
    clicked_recipients as click_to_open_rate_numerator,
    opened_recipients as click_to_open_rate_denominator,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when opened_recipients > 0 and clicked_recipients is not null then round(
            least(greatest(
                (
                    cast(clicked_recipients as double) + 1.959963984540054 * 1.959963984540054 / 2
                    - 1.959963984540054 * sqrt(cast(clicked_recipients as double) * (cast(opened_recipients as double) - cast(clicked_recipients as double)) / cast(opened_recipients as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(opened_recipients as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as click_to_open_rate_low,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when opened_recipients > 0 and clicked_recipients is not null then round(
            least(greatest(
                (
                    cast(clicked_recipients as double) + 1.959963984540054 * 1.959963984540054 / 2
                    + 1.959963984540054 * sqrt(cast(clicked_recipients as double) * (cast(opened_recipients as double) - cast(clicked_recipients as double)) / cast(opened_recipients as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(opened_recipients as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as click_to_open_rate_high,
    round(cast(unsubscribed_recipients as double) / nullif(cast(delivered_recipients as double), 0), 6) as unsubscribe_rate,
    unsubscribed_recipients as unsubscribe_rate_numerator,
    delivered_recipients as unsubscribe_rate_denominator,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when delivered_recipients > 0 and unsubscribed_recipients is not null then round(
            least(greatest(
                (
                    cast(unsubscribed_recipients as double) + 1.959963984540054 * 1.959963984540054 / 2
                    - 1.959963984540054 * sqrt(cast(unsubscribed_recipients as double) * (cast(delivered_recipients as double) - cast(unsubscribed_recipients as double)) / cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as unsubscribe_rate_low,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when delivered_recipients > 0 and unsubscribed_recipients is not null then round(
            least(greatest(
                (
                    cast(unsubscribed_recipients as double) + 1.959963984540054 * 1.959963984540054 / 2
                    + 1.959963984540054 * sqrt(cast(unsubscribed_recipients as double) * (cast(delivered_recipients as double) - cast(unsubscribed_recipients as double)) / cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as unsubscribe_rate_high,
    round(cast(converted_recipients as double) / nullif(cast(delivered_recipients as double), 0), 6) as conversion_rate,
    converted_recipients as conversion_rate_numerator,
    delivered_recipients as conversion_rate_denominator,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when delivered_recipients > 0 and converted_recipients is not null then round(
            least(greatest(
                (
                    cast(converted_recipients as double) + 1.959963984540054 * 1.959963984540054 / 2
                    - 1.959963984540054 * sqrt(cast(converted_recipients as double) * (cast(delivered_recipients as double) - cast(converted_recipients as double)) / cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as conversion_rate_low,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when delivered_recipients > 0 and converted_recipients is not null then round(
            least(greatest(
                (
                    cast(converted_recipients as double) + 1.959963984540054 * 1.959963984540054 / 2
                    + 1.959963984540054 * sqrt(cast(converted_recipients as double) * (cast(delivered_recipients as double) - cast(converted_recipients as double)) / cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(delivered_recipients as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as conversion_rate_high
from counted
cross join "warehouse"."intermediate"."int_run_context" as run