-- The limiter's stamps of the last minute.
select stamps from counterfoil_state.limiter_stamps where company = $1
