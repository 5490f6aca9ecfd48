-- runs as: engine
--
-- When a document was created in QuickBooks, in UTC to the second: what coverage is counted by.

alter table counterfoil_state.documents add column created text;
