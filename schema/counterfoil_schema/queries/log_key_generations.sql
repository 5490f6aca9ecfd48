SELECT kept.scope, kept.generation, kept.wrapped, kept.wrapped_by
FROM unnest($2::text[], $3::integer[]) AS asked (scope, generation)
JOIN counterfoil_state.sealing_keys AS kept
    ON kept.company = $1 AND kept.scope = asked.scope AND kept.generation = asked.generation
