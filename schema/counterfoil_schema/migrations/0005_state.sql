-- runs as: engine
-- State: every table here says its class in its comment. Projections are derived from the log and may be dropped;
-- operational tables may be lost. The engine owns them all.



create table counterfoil_state.companies (
    company bigint not null,
    name text not null,
    zone text not null,
    home_currency text not null,
    realm_id text,
    environment text,
    fingerprint text,
    multi_currency boolean not null,
    custom_numbers boolean not null,
    preferences_hash text not null,
    primary key (company)
);
comment on table counterfoil_state.companies is 'projection: The company: its books and where they are.';

create table counterfoil_state.mappings (
    company bigint not null,
    connection text not null,
    position bigint not null,
    digest text not null,
    primary key (company, connection)
);
comment on table counterfoil_state.mappings is 'projection: Where the mapping that holds now is to be found.';

create table counterfoil_state.records (
    company bigint not null,
    record_key text not null,
    kind text not null,
    position bigint not null,
    version text not null,
    content_hash text not null,
    removed boolean not null,
    primary key (company, record_key)
);
comment on table counterfoil_state.records is 'projection: A source record as last observed.';

create table counterfoil_state.changes (
    company bigint not null,
    position bigint not null,
    record_key text not null,
    side text not null,
    state text not null,
    code text not null,
    reason text not null,
    fix text not null,
    decided bigint,
    intents jsonb not null,
    primary key (company, position)
);
comment on table counterfoil_state.changes is 'projection: One observed change and what became of it. `intents` leads from intent id to its state.';

create table counterfoil_state.intents (
    company bigint not null,
    intent_id text not null,
    change bigint not null,
    record_key text not null,
    target text not null,
    entity text not null,
    operation text not null,
    state text not null,
    lane text not null,
    needs text[] not null,
    content_hash text not null,
    planned bigint not null,
    doc_number text,
    name_key text,
    amount numeric,
    currency text,
    generation bigint not null,
    attempts bigint not null,
    request_id text,
    sent bigint,
    settled bigint,
    code text not null,
    reason text not null,
    fix text not null,
    primary key (company, intent_id)
);
comment on table counterfoil_state.intents is 'projection: One entry of the outbox: a change wanted on the other side, from plan to settlement.';

create table counterfoil_state.links (
    company bigint not null,
    record_key text not null,
    entity text not null,
    document_id text not null,
    sync_token text,
    content_hash text not null,
    image bigint not null,
    latest bigint not null,
    sent bigint,
    incarnation bigint not null,
    status text not null,
    doc_number text,
    name_key text,
    lines jsonb not null,
    primary key (company, record_key)
);
comment on table counterfoil_state.links is 'projection: A source record and its document. The positions say where the two images are to be found.';

create table counterfoil_state.documents (
    company bigint not null,
    entity text not null,
    document_id text not null,
    position bigint not null,
    sync_token text,
    status text not null,
    content_hash text not null,
    record_key text,
    name text,
    primary key (company, entity, document_id)
);
comment on table counterfoil_state.documents is 'projection: A document of the books as last seen; `name` only where a name is no personal data.';

create table counterfoil_state.payments (
    company bigint not null,
    payment_id text not null,
    position bigint not null,
    status text not null,
    invoices text[] not null,
    unapplied numeric not null,
    primary key (company, payment_id)
);
comment on table counterfoil_state.payments is 'projection: What one payment in the books does: per invoice, the cash and the credited part.';

create table counterfoil_state.settlements (
    company bigint not null,
    invoice_id text not null,
    payment_id text not null,
    cash numeric not null,
    credited numeric not null,
    unapplied numeric not null,
    dated text,
    primary key (company, invoice_id, payment_id)
);
comment on table counterfoil_state.settlements is 'projection: The part of one payment that settles one invoice; zero once the payment no longer does.';

create table counterfoil_state.calls (
    company bigint not null,
    request_id text not null,
    target text not null,
    sent bigint not null,
    attempts bigint not null,
    body_hash text not null,
    open_items text[] not null,
    primary key (company, request_id)
);
comment on table counterfoil_state.calls is 'projection: A call under one request id.';

create table counterfoil_state.hints (
    company bigint not null,
    connection text not null,
    kind text not null,
    source_id text not null,
    operation text not null,
    received bigint not null,
    settled bigint,
    primary key (company, connection, kind, source_id)
);
comment on table counterfoil_state.hints is 'projection: Something that was said to have changed; open until it was read.';

create table counterfoil_state.requests (
    company bigint not null,
    position bigint not null,
    action text not null,
    record_key text not null,
    intent_id text,
    author text not null,
    taken bigint,
    primary key (company, position)
);
comment on table counterfoil_state.requests is 'projection: What an operator asked for, open until it is taken up.';

create index changes_by_state on counterfoil_state.changes (company, state, position);
create index changes_by_record on counterfoil_state.changes (company, record_key, position);
create index intents_by_state on counterfoil_state.intents (company, state, planned);
create index intents_by_record on counterfoil_state.intents (company, record_key);
create index intents_by_name on counterfoil_state.intents (company, entity, name_key) where name_key is not null;
create index intents_by_number on counterfoil_state.intents (company, entity, doc_number) where doc_number is not null;
create index links_by_name on counterfoil_state.links (company, entity, name_key) where name_key is not null;
create index documents_by_name on counterfoil_state.documents (company, entity, lower(name)) where name is not null;
create index documents_by_record on counterfoil_state.documents (company, record_key) where record_key is not null;
create index hints_open on counterfoil_state.hints (company, received) where settled is null;
create index requests_open on counterfoil_state.requests (company, position) where taken is null;
create index calls_open on counterfoil_state.calls (company, sent) where open_items <> '{}';

create table counterfoil_state.checkpoints (
    company bigint primary key,
    position bigint not null,
    state text not null,
    error text not null default '',
    moved_at timestamptz
);
comment on table counterfoil_state.checkpoints is 'projection: How far each company''s log is folded.';

create table counterfoil_state.cursors (
    company bigint not null,
    connection text not null,
    kind text not null,
    cursor text not null,
    moved_at timestamptz not null,
    primary key (company, connection, kind)
);
comment on table counterfoil_state.cursors is
    'operational: Where reading a source goes on; without it the source is read again from the start.';

create table counterfoil_state.limiter_stamps (
    company bigint primary key,
    stamps jsonb not null,
    saved_at timestamptz not null
);
comment on table counterfoil_state.limiter_stamps is
    'operational: The calls of the last minute, so that a restart stays inside the limits.';
