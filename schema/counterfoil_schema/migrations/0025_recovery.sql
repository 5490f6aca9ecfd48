-- runs as: engine
--
-- What a restored log had forgotten: documents of ours that a recovery found, by the sign that they bear.

alter table counterfoil_state.companies add column recovery text not null default '';
alter table counterfoil_state.companies add column recovering bigint;

create table counterfoil_state.recovered (
    company bigint not null,
    entity text not null,
    sign text not null,
    documents text [] not null,
    observed bigint not null,
    primary key (company, entity, sign)
);
comment on table counterfoil_state.recovered is
    'projection: Documents of ours that a recovery found, by the sign that they bear.';
