select setting, name, place, weight, at_zero, at_full, level, tenure_days, orders
from {{ source('control', 'score_settings') }}
