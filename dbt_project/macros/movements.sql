{#- Who was active when, from the days on which periods begin and end: what a month costs depends on its changes. -#}

{#-
  Customers in the months in which a period of theirs began or ended, one row each, from `periods` (customer_id,
  period_number, started_on, ended_on, end_kind, is_churn, is_early). A period that runs through a month is in no row.
-#}
{% macro changes_by_month(periods) -%}
    select
        customer_id,
        month_start,
        -- Of the periods that begin or end in a month only the first can have run at its start.
        bool_or(started_on < month_start) as is_opening,
        bool_or(ended_on is null or ended_on > {{ month_end('month_start') }}) as is_closing,
        min(started_on) as first_started_on,
        count(*) filter (where started_on >= month_start and period_number = 1) as customers_new,
        count(*) filter (where started_on >= month_start and period_number > 1) as customers_reactivated,
        count(*) filter (where is_end and is_churn) as customers_lost,
        count(*) filter (where is_end and is_churn and is_early) as customers_lost_early,
        count(*) filter (where is_end and not is_churn) as customers_completed,
        max_by(is_churn, period_number) filter (where is_end) as is_churn,
        max_by({{ decided_by('end_kind') }}, period_number) filter (where is_end) as decided_by
    from (
        select *, {{ month_start('started_on') }} as month_start, false as is_end
        from {{ periods }}
        where ended_on is null or ended_on > {{ month_end('started_on') }}

        union all

        select *, {{ month_start('ended_on') }} as month_start, true as is_end
        from {{ periods }}
        where ended_on is not null
    )
    group by customer_id, month_start
{%- endmacro %}

{#- Who decided on the end of a period: the customer, somebody else, or nobody knows. -#}
{% macro decided_by(end_kind) -%}
    case {{ end_kind }}
        when 'cancelled' then 'voluntary'
        when 'term_end' then 'voluntary'
        when 'involuntary' then 'involuntary'
        else 'unknown'
    end
{%- endmacro %}

{#- The sums over changes that a month shows; `gone` are customers of the opening set who are not in the closing set. -#}
{% macro sums_of_changes() -%}
    {%- set gone = 'is_opening and not is_closing' %}
    sum(customers_new) as customers_new,
    sum(customers_reactivated) as customers_reactivated,
    sum(customers_lost) as customers_lost,
    sum(customers_lost_early) as customers_lost_early,
    sum(customers_completed) as customers_completed,
    count(*) filter (where is_closing and not is_opening) as customers_joined,
    count(*) filter (where not is_closing and not is_opening) as customers_joined_and_left,
    count(*) filter (where {{ gone }} and is_churn) as customers_churned_of_opening,
    {%- for by in ['voluntary', 'involuntary', 'unknown'] %}
    count(*) filter (where {{ gone }} and is_churn and decided_by = '{{ by }}') as {{ by }}_of_opening,
    {%- endfor %}
    count(*) filter (where {{ gone }} and not is_churn) as customers_completed_of_opening
{%- endmacro %}
