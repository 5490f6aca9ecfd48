-- runs as: engine
--
-- The first day in existing books: documents that were there before, what a person said of the other records, and
-- from where on documents may go out.

alter table counterfoil_state.companies add column approved bigint;
alter table counterfoil_state.links add column adopted boolean not null default false;

create table counterfoil_state.reviews (
    company bigint not null,
    record_key text not null,
    verdict text not null,
    position bigint not null,
    primary key (company, record_key)
);
comment on table counterfoil_state.reviews is
    'projection: What a person said of a source record that nothing in the books stands for.';
