-- runs as: engine
--
-- People who were erased: keys that are destroyed, so that nothing personal of them is taken in again.

create table counterfoil_state.erasures (
    company bigint not null,
    subject text not null,
    position bigint not null,
    erased_on text not null,
    is_person boolean not null,
    primary key (company, subject)
);
comment on table counterfoil_state.erasures is
    'projection: Whose key was destroyed, and where that is recorded.';
