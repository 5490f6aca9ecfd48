-- Where reading a source goes on.
select cursor from counterfoil_state.cursors where company = $1 and connection = $2 and kind = $3
