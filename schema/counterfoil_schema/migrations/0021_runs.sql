-- runs as: engine
--
-- Under which run something was written, what took it back, and what a person asked for as a whole.

alter table counterfoil_state.intents add column run text not null default '';
alter table counterfoil_state.intents add column undoes text [] not null default '{}';
alter table counterfoil_state.intents add column undone_by text;
alter table counterfoil_state.intents add column waits_for text [] not null default '{}';
alter table counterfoil_state.links add column undone text not null default '';
alter table counterfoil_state.links add column renew boolean not null default false;

create table counterfoil_state.runs_asked (
    company bigint not null,
    run text not null,
    kind text not null,
    asked bigint not null,
    author text not null,
    reason text not null,
    taken bigint,
    later text not null,
    planned bigint not null,
    refused bigint not null,
    primary key (company, run)
);
comment on table counterfoil_state.runs_asked is 'projection: Work that a person asked for as a whole, and what became of it.';
