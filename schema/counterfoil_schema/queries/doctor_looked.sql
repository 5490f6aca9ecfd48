-- When each connection of a company was last read, by polling or by a sweep.
select cursor.connection, max(cursor.moved_at) as looked_at
from counterfoil_state.cursors as cursor
where cursor.company = $1
group by cursor.connection
