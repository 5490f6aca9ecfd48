-- Whose work on a company was begun last.
select what, holder, begun_at from counterfoil_state.works where company = $1
