with amounts as (
  select cast('{"amount": 49}' as {{ column_type('json') }}) as payment, 49.00 as expected
  union all select cast('{"amount": "49.90"}' as {{ column_type('json') }}), 49.90
  union all select cast('{"amount": 0.5}' as {{ column_type('json') }}), 0.50
  union all select cast('{"amount": "-1.25"}' as {{ column_type('json') }}), -1.25
  union all select cast('{"amount": "1e3"}' as {{ column_type('json') }}), null
  union all select cast('{"amount": "12345678901234567890"}' as {{ column_type('json') }}), null
  union all select cast('{"amount": "free"}' as {{ column_type('json') }}), null
  union all select cast('{"amount": ""}' as {{ column_type('json') }}), null
  union all select cast('{"amount": null}' as {{ column_type('json') }}), null
  union all select cast('{}' as {{ column_type('json') }}), null
  union all select cast('null' as {{ column_type('json') }}), null
  union all select null, null
)

select payment, expected
from amounts
where {{ json_number('payment', 'amount') }} is distinct from expected
