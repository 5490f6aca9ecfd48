-- runs as: engine
--
-- Differences between source, log and books that a reconciliation found; and changes that are decided afresh to mend one.

create table counterfoil_state.drifts (
    company bigint not null,
    about text not null,
    kind text not null,
    entity text not null,
    digest text not null,
    found bigint not null,
    document_id text,
    amount numeric,
    currency text,
    cleared bigint,
    primary key (company, about, kind)
);
comment on table counterfoil_state.drifts is
    'projection: Differences between source, log and books, until they are cleared.';
create index drifts_open on counterfoil_state.drifts (company, about, kind) where cleared is null;

alter table counterfoil_state.changes add column repair boolean not null default false;
