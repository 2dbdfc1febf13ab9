-- Records of one customer in several systems are one: column by column, the best source that knows it, there the
-- newest, and one that was merged away last.
with joined as (
    select
        identity.canonical_id,
        record.*,
        row_number() over (
            partition by identity.canonical_id
            order by
                case when (
        position(':' in record.customer_id) = 0
        or split_part(record.customer_id, ':', 1) not in (select source from "warehouse"."intermediate"."int_sources" where not is_primary)
    ) then 0 else coalesce(source.priority, 1000) end,
                identity.is_merged_away,
                record.known_on desc nulls last,
                record.created_at desc nulls last,
                record.customer_id
        ) as rank
    from "warehouse"."intermediate"."int_canonical_ids" as identity
    inner join "warehouse"."staging"."stg_customers" as record on record.customer_id = identity.customer_id
    left join "warehouse"."intermediate"."int_sources" as source on source.source = split_part(record.customer_id, ':', 1)
)

select
    customer_id,
    created_at,
    country,
    region,
    language,
    birth_year,
    gender,
    acquisition_channel,
    company_size,
    industry,
    preferred_channel,
    email,
    phone,
    attributes,
    is_test
from "warehouse"."staging"."stg_customers"
where customer_id not in (select customer_id from "warehouse"."intermediate"."int_canonical_ids")

union all

select
    canonical_id,
    min(created_at),
    min_by(country, rank) filter (where country is not null),
    min_by(region, rank) filter (where region is not null),
    min_by(language, rank) filter (where language is not null),
    min_by(birth_year, rank) filter (where birth_year is not null),
    min_by(gender, rank) filter (where gender is not null),
    min_by(acquisition_channel, rank) filter (where acquisition_channel is not null),
    min_by(company_size, rank) filter (where company_size is not null),
    min_by(industry, rank) filter (where industry is not null),
    min_by(preferred_channel, rank) filter (where preferred_channel is not null),
    min_by(email, rank) filter (where email is not null),
    min_by(phone, rank) filter (where phone is not null),
    min_by(attributes, rank) filter (where attributes is not null),
    bool_or(is_test)
from joined
group by canonical_id