with themes as (
    select
        {{ month_start('written_on') }} as month_start,
        source,
        coalesce(language, 'unknown') as language,
        theme,
        count(*) as texts,
        count(*) filter (where sentiment is not null) as texts_with_sentiment,
        count(*) filter (where sentiment = 'negative') as texts_negative,
        sum(sentiment_score) as sentiment_total
    from {{ ref('int_texts') }}
    where has_text
    group by 1, 2, 3, 4
)

select
    themes.month_start,
    {{ month_end('themes.month_start') }} <= run.as_of as is_complete,
    themes.source,
    themes.language,
    themes.theme,
    themes.texts,
    {{ rate_columns('negative_text_rate', 'themes.texts_negative', 'themes.texts_with_sentiment') }},
    {{ ratio('themes.sentiment_total', 'themes.texts_with_sentiment', 3) }} as sentiment_mean
from themes
cross join {{ ref('int_run_context') }} as run
