-- A place among the copies for one company; from where it goes on, if a rebuild had begun under the same edition.
select "position", link from counterfoil_state.open_fresh($1, $2)
