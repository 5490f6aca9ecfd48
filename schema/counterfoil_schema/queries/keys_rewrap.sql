-- Only what is still as it was read: a key that was destroyed meanwhile stays destroyed.
UPDATE counterfoil_state.sealing_keys
SET wrapped = $5, wrapped_by = $6
WHERE company = $1 AND scope = $2 AND generation = $3 AND wrapped = $4
