with timestamps as (
  select cast('{"at": "2026-03-04T09:30:00.123456Z"}' as {{ column_type('json') }}) as record, cast('2026-03-04 09:30:00.123456' as timestamp) as expected
  union all select cast('{"at": "2026-03-04T09:30:00+01:00"}' as {{ column_type('json') }}), cast('2026-03-04 08:30:00' as timestamp)
  union all select cast('{"at": "2026-03-04 09:30:00"}' as {{ column_type('json') }}), cast('2026-03-04 09:30:00' as timestamp)
  union all select cast('{"at": "2026-03-04"}' as {{ column_type('json') }}), cast('2026-03-04 00:00:00' as timestamp)
  union all select cast('{"at": "soon"}' as {{ column_type('json') }}), null
  union all select cast('{"at": null}' as {{ column_type('json') }}), null
  union all select cast('{}' as {{ column_type('json') }}), null
)

select record, expected
from timestamps
where {{ json_timestamp('record', 'at') }} is distinct from expected
