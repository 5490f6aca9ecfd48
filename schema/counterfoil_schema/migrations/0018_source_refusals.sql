-- runs as: engine
--
-- Sources that refuse to be read: where in the log it is said why.

create table counterfoil_state.sources (
    company bigint not null,
    connection text not null,
    refused bigint,
    digest text not null,
    primary key (company, connection)
);
comment on table counterfoil_state.sources is 'projection: Where a source last refused to be read, until it answers again.';
