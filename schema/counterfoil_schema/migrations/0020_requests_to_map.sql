-- runs as: engine
--
-- What an operator wants to stand for a record, where that is what was asked for.

alter table counterfoil_state.requests add column document text;
