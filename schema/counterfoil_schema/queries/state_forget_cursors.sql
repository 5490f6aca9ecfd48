-- Reading a company's sources begins again at the start; what is known already is not recorded twice.
delete from counterfoil_state.cursors where company = $1
