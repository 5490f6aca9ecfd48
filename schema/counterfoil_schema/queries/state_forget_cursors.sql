-- Reading a company's sources begins again at the start; what is known already is not recorded twice.
-- The books are no source: without the cursor of their sweep nobody would know since when changes may be missing.
delete from counterfoil_state.cursors where company = $1 and connection <> 'quickbooks'
