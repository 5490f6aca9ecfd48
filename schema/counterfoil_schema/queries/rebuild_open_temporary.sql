-- Empty copies of the projections that end with the session.
select counterfoil_state.open_temporary()
