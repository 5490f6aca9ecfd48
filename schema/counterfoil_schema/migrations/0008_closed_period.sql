-- runs as: engine
--
-- The last day of the closed period, as the books last said: what is dated into it parks before it is sent.

alter table counterfoil_state.companies add column closed_until text;
