-- Checks that the append functions, the only way to write these tables, make once for a whole group. As constraints
-- they cost a seventh of an append: Postgres parses and compiles each of them anew for every partition that a
-- statement touches. Reading would find what they forbade, too: a link of another length breaks the chain.
ALTER TABLE counterfoil_log.events
    DROP CONSTRAINT events_position_check,
    DROP CONSTRAINT events_link_check;
ALTER TABLE counterfoil_log.heads
    DROP CONSTRAINT heads_position_check,
    DROP CONSTRAINT heads_hash_check,
    DROP CONSTRAINT heads_epoch_check;
