-- What verifying a company's log found first, if it found anything when it was last done.
select first_fault from counterfoil_state.verdicts where company = $1 and faults > 0
