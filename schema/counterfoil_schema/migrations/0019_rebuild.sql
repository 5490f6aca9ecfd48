-- runs as: engine
--
-- Rebuilding projections beside the live ones. Copies of their tables, `fresh_…`, are made when a rebuild begins and
-- dropped when the last one has ended, so they always have the columns that the live ones have; they are unlogged,
-- and so is the note of how far they are folded: after a crash of the server both are empty together.

-- Raised when a rebuild has put rows right: whoever folds or decides on what was read before begins anew.
alter table counterfoil_state.checkpoints add column generation bigint not null default 0;

create table counterfoil_state.verdicts (
    company bigint primary key,
    checked_at timestamptz not null,
    position bigint not null,
    faults bigint not null,
    first_fault text not null
);
comment on table counterfoil_state.verdicts is
    'operational: what verifying the log found last; while it found faults, nothing is written for the company.';

create table counterfoil_state.works (
    company bigint primary key,
    what text not null,
    holder text not null,
    begun_at timestamptz not null
);
comment on table counterfoil_state.works is
    'operational: which operator''s work was begun last; it counts only while its lock is held.';

-- The projections, which say so in their comments: their key columns, all their columns, and the key as it is declared.
-- How far the log is folded is no row of theirs.
create function counterfoil_state.projections()
returns table (name text, key_columns text[], columns text[], key text)
language sql stable set search_path = pg_catalog, pg_temp as $$
    select
        class.relname::text,
        (
            select array_agg(attribute.attname::text order by place.number)
            from unnest(held.conkey) with ordinality as place (attnum, number)
            join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum = place.attnum
        ),
        (
            select array_agg(attribute.attname::text order by attribute.attnum)
            from pg_attribute as attribute
            where attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
        ),
        pg_get_constraintdef(held.oid)
    from pg_class as class
    join pg_constraint as held on held.conrelid = class.oid and held.contype = 'p'
    where
        class.relnamespace = 'counterfoil_state'::regnamespace
        and class.relkind = 'r'
        and class.relname <> 'checkpoints'
        and obj_description(class.oid, 'pg_class') like 'projection:%'
    order by class.relname
$$;

-- Empty copies of the projections in the session's own temporary schema: for the state at a point in the past.
create function counterfoil_state.open_temporary() returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_table record;
begin
    for v_table in select * from counterfoil_state.projections() loop
        execute format(
            'create temporary table %I (like counterfoil_state.%I including defaults, %s)',
            v_table.name, v_table.name, v_table.key);
    end loop;
end
$$;

-- The copies for rebuilding, and one company's place among them. Copies that are no longer like their tables are made
-- anew, and every rebuild that was using them begins anew. Answers from where this one goes on, if it had begun.
create function counterfoil_state.open_fresh(p_company bigint, p_edition text)
returns table ("position" bigint, link bytea)
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    v_table record;
    v_like boolean;
begin
    perform pg_advisory_xact_lock(hashtextextended('counterfoil_state.fresh', 0));
    create unlogged table if not exists counterfoil_state.fresh_runs (
        company bigint primary key,
        edition text not null,
        position bigint not null,
        link bytea not null
    );
    comment on table counterfoil_state.fresh_runs is 'operational: How far rebuilds have come.';

    select coalesce(bool_and(counterfoil_state.is_like(live.name)), true) into v_like
    from counterfoil_state.projections() as live;
    if not v_like then
        for v_table in select * from counterfoil_state.projections() loop
            execute format('drop table if exists counterfoil_state.%I', 'fresh_' || v_table.name);
            execute format(
                'create unlogged table counterfoil_state.%I (like counterfoil_state.%I including defaults, %s)',
                'fresh_' || v_table.name, v_table.name, v_table.key);
            execute format(
                'comment on table counterfoil_state.%I is %L',
                'fresh_' || v_table.name, 'operational: ' || v_table.name || ' on their way through a rebuild.');
        end loop;
        truncate counterfoil_state.fresh_runs;
    end if;

    if not exists (
        select from counterfoil_state.fresh_runs as run where run.company = p_company and run.edition = p_edition
    ) then
        perform counterfoil_state.empty_fresh(p_company);
        insert into counterfoil_state.fresh_runs (company, edition, position, link)
        values (p_company, p_edition, 0, ''::bytea);
    end if;
    return query
    select run.position, run.link from counterfoil_state.fresh_runs as run where run.company = p_company;
end
$$;

-- Whether there is a copy of a projection, and it has the same columns in the same order.
create function counterfoil_state.is_like(p_table text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select
        coalesce(array_agg(format('%s %s', column_name, column_type) order by place)
            filter (where copied), '{}')
        = array_agg(format('%s %s', column_name, column_type) order by place) filter (where not copied)
    from (
        select
            attribute.attnum as place,
            attribute.attname as column_name,
            format_type(attribute.atttypid, attribute.atttypmod) as column_type,
            class.relname <> p_table as copied
        from pg_class as class
        join pg_attribute as attribute on attribute.attrelid = class.oid
        where
            class.relnamespace = 'counterfoil_state'::regnamespace
            and class.relname in (p_table, 'fresh_' || p_table)
            and attribute.attnum > 0
            and not attribute.attisdropped
    ) as found
$$;

-- One company's rows out of all copies.
create function counterfoil_state.empty_fresh(p_company bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_table record;
begin
    for v_table in select * from counterfoil_state.projections() loop
        execute format('delete from counterfoil_state.%I where company = $1', 'fresh_' || v_table.name)
        using p_company;
    end loop;
    delete from counterfoil_state.fresh_runs where company = p_company;
end
$$;

-- The end of one company's rebuild; the copies go with the last one.
create function counterfoil_state.close_fresh(p_company bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_table record;
begin
    perform pg_advisory_xact_lock(hashtextextended('counterfoil_state.fresh', 0));
    if to_regclass('counterfoil_state.fresh_runs') is null then
        return;
    end if;
    if exists (select from counterfoil_state.fresh_runs where company <> p_company) then
        perform counterfoil_state.empty_fresh(p_company);
        return;
    end if;
    for v_table in select * from counterfoil_state.projections() loop
        execute format('drop table if exists counterfoil_state.%I', 'fresh_' || v_table.name);
    end loop;
    drop table counterfoil_state.fresh_runs;
end
$$;

-- Rows of a copy by key, one array of texts for each part of it, before their newer state is copied in.
create function counterfoil_state.forget_fresh(
    p_table text, p_company bigint, p_first text[], p_second text[], p_third text[]
) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_conditions text;
begin
    select string_agg(
        format(
            'kept.%I = gone.%s::%s', part.column_name, (array['first', 'second', 'third'])[part.number - 1],
            format_type(attribute.atttypid, attribute.atttypmod)),
        ' and ')
    into v_conditions
    from counterfoil_state.projections() as live
    cross join unnest(live.key_columns) with ordinality as part (column_name, number)
    join pg_attribute as attribute
        on attribute.attrelid = format('counterfoil_state.%I', live.name)::regclass
        and attribute.attname = part.column_name
    where live.name = p_table and part.column_name <> 'company';
    execute format(
        'delete from counterfoil_state.%I as kept '
        'using unnest($2, $3, $4) as gone (first, second, third) where kept.company = $1 and %s',
        'fresh_' || p_table, coalesce(v_conditions, 'true'))
    using p_company, p_first, p_second, p_third;
end
$$;

-- Rows in which a projection and its copy differ; null on the side that lacks one.
create function counterfoil_state.fresh_differences(p_table text, p_company bigint)
returns table (live jsonb, fresh jsonb)
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_keys text;
begin
    select string_agg(quote_ident(part), ', ') into v_keys
    from counterfoil_state.projections() as live
    cross join unnest(live.key_columns) as part
    where live.name = p_table;
    return query execute format(
        'select to_jsonb(live), to_jsonb(fresh) '
        'from (select * from counterfoil_state.%I where company = $1) as live '
        'full join (select * from counterfoil_state.%I where company = $1) as fresh using (%s) '
        'where live is distinct from fresh',
        p_table, 'fresh_' || p_table, v_keys)
    using p_company;
end
$$;

-- How many rows of a company a copy holds.
create function counterfoil_state.count_fresh(p_table text, p_company bigint) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_rows bigint;
begin
    execute format('select count(*) from counterfoil_state.%I where company = $1', 'fresh_' || p_table)
    into v_rows
    using p_company;
    return v_rows;
end
$$;

-- Makes a projection's rows of one company those of its copy: what differs is written, and nothing else.
create function counterfoil_state.take_fresh(p_table text, p_company bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_keys text;
    v_columns text;
    v_fresh text;
    v_same_key text;
    v_assigned text;
begin
    select
        (select string_agg(quote_ident(part), ', ') from unnest(live.key_columns) as part),
        (select string_agg(quote_ident(part), ', ') from unnest(live.columns) as part),
        (select string_agg(format('fresh.%I', part), ', ') from unnest(live.columns) as part),
        (select string_agg(format('fresh.%1$I = live.%1$I', part), ' and ') from unnest(live.key_columns) as part),
        (select string_agg(format('%1$I = excluded.%1$I', part), ', ') from unnest(live.columns) as part)
    into v_keys, v_columns, v_fresh, v_same_key, v_assigned
    from counterfoil_state.projections() as live
    where live.name = p_table;
    execute format(
        'delete from counterfoil_state.%I as live where live.company = $1 and not exists ('
        'select from counterfoil_state.%I as fresh where fresh.company = $1 and %s)',
        p_table, 'fresh_' || p_table, v_same_key)
    using p_company;
    execute format(
        'insert into counterfoil_state.%1$I (%4$s) select %5$s '
        'from (select * from counterfoil_state.%2$I where company = $1) as fresh '
        'left join (select * from counterfoil_state.%1$I where company = $1) as live using (%3$s) '
        'where live is distinct from fresh on conflict (%3$s) do update set %6$s',
        p_table, 'fresh_' || p_table, v_keys, v_columns, v_fresh, v_assigned)
    using p_company;
end
$$;
