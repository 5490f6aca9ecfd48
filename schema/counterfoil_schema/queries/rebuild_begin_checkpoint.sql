-- A checkpoint where there is none, for a company whose projections were emptied.
insert into counterfoil_state.checkpoints (company, position, state) values ($1, 0, 'running')
on conflict (company) do nothing
