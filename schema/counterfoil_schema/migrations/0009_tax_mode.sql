-- runs as: engine
--
-- How the books tax, as they last said: without it nobody can tell which code a line needs.

alter table counterfoil_state.companies add column tax_mode text not null default 'none';
