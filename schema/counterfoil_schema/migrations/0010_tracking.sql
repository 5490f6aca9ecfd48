-- runs as: engine
--
-- Whether the books track classes and departments, as they last said: what a mapping wants tracked where they do not
-- parks before it is sent.

alter table counterfoil_state.companies add column class_tracking boolean not null default false;
alter table counterfoil_state.companies add column department_tracking boolean not null default false;
