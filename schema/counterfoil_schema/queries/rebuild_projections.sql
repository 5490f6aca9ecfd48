-- The tables that a rebuild folds afresh.
select name from counterfoil_state.projections()
