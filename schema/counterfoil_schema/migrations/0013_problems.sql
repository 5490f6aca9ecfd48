-- runs as: engine
--
-- Which records show a problem at their source, since which plan.

alter table counterfoil_state.records add column told bigint;
create index records_told on counterfoil_state.records (company, record_key) where told is not null;
