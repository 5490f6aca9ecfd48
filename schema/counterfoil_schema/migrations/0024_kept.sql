-- runs as: engine
--
-- What of a document is left as the books have it, and where both sides' last agreement, or a person's answer, lies.

alter table counterfoil_state.links add column kept jsonb not null default '{}';
