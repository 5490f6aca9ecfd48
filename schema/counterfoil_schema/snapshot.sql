-- What the migrations add up to. Written by `make snapshot`, never by hand; a test compares it with the migrations.
-- The roles counterfoil_owner and counterfoil_engine must exist.

SET LOCAL check_function_bodies = false;

CREATE SCHEMA counterfoil_log;


ALTER SCHEMA counterfoil_log OWNER TO counterfoil_owner;

CREATE SCHEMA counterfoil_state;


ALTER SCHEMA counterfoil_state OWNER TO counterfoil_engine;

CREATE FUNCTION counterfoil_log.acquire_lease(p_company bigint, p_holder text, p_seconds double precision) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_epoch bigint;
BEGIN
    INSERT INTO counterfoil_log.heads (company, position, hash)
    SELECT p_company, 0, counterfoil_log.genesis(p_company)
    WHERE NOT EXISTS (SELECT FROM counterfoil_log.heads AS head WHERE head.company = p_company)
    ON CONFLICT DO NOTHING;
    PERFORM FROM counterfoil_log.heads AS head WHERE head.company = p_company FOR UPDATE;
    PERFORM
    FROM counterfoil_log.leases AS lease
    WHERE lease.company = p_company AND lease.holder <> p_holder AND lease.expires_at > clock_timestamp();
    IF FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE counterfoil_log.heads AS head SET epoch = head.epoch + 1 WHERE head.company = p_company
    RETURNING head.epoch INTO v_epoch;
    INSERT INTO counterfoil_log.leases AS lease (company, holder, epoch, expires_at)
    VALUES (p_company, p_holder, v_epoch, clock_timestamp() + make_interval(secs => p_seconds))
    ON CONFLICT (company) DO UPDATE
    SET holder = excluded.holder, epoch = excluded.epoch, expires_at = excluded.expires_at;
    RETURN v_epoch;
END
$$;


ALTER FUNCTION counterfoil_log.acquire_lease(p_company bigint, p_holder text, p_seconds double precision) OWNER TO counterfoil_owner;

CREATE FUNCTION counterfoil_log.append(p_companies bigint[], p_ends integer[], p_head_positions bigint[], p_head_hashes bytea, p_links bytea, p_sizes integer[], p_guards bigint[], p_guard_sizes integer[], p_guard_keys text[], p_sources text[], p_delivery_ids text[], p_since bigint[], p_epochs bigint[], p_recorded_from timestamp with time zone, p_recorded_after bigint[], p_event_types text[], p_event_versions smallint[], p_event_ids uuid[], p_event_kinds smallint[], p_record_keys text[], p_causes bigint[], p_traces text[], p_deliveries text[], p_body_ends integer[], p_bodies bytea, p_digests bytea) RETURNS TABLE(status text, "position" bigint, link bytea)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
#variable_conflict use_column
DECLARE
    v_companies bigint[];
    v_positions bigint[];
    v_epochs bigint[];
    v_hashes bytea;
    v_as_believed boolean;
BEGIN
    IF p_ends[cardinality(p_companies)] IS DISTINCT FROM cardinality(p_event_ids)
        OR length(p_links) IS DISTINCT FROM 32 * cardinality(p_event_ids)
        OR length(p_digests) IS DISTINCT FROM length(p_links)
    THEN
        RAISE EXCEPTION 'companies, digests or links do not match events' USING ERRCODE = 'invalid_parameter_value';
    END IF;

    SELECT array_agg(head.company), array_agg(head.position), array_agg(head.epoch), string_agg(head.hash, '')
    INTO v_companies, v_positions, v_epochs, v_hashes
    FROM (
        SELECT locked.company, locked.position, locked.epoch, locked.hash
        FROM counterfoil_log.heads AS locked
        WHERE locked.company = ANY (p_companies)
        ORDER BY locked.company
        FOR UPDATE
    ) AS head;
    IF v_companies IS DISTINCT FROM p_companies THEN
        RAISE EXCEPTION 'of companies %, some have no head, or they do not ascend', p_companies
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    -- As a rule nothing can be refused and every head is as believed. Then all goes at once: of a function, each
    -- expression costs anew in each transaction, and most transactions are small.
    v_as_believed := v_positions = p_head_positions AND v_hashes = p_head_hashes
        AND p_guards IS NULL AND p_sources IS NULL AND p_since IS NULL;
    IF v_as_believed AND p_epochs IS NOT NULL THEN
        SELECT count(*) = 0 INTO v_as_believed
        FROM generate_series(1, cardinality(p_companies)) AS h
        CROSS JOIN LATERAL generate_series(coalesce(p_ends[h - 1], 0) + 1, p_ends[h]) AS e
        WHERE p_epochs[e] <> v_epochs[h];
    END IF;
    IF v_as_believed THEN
        INSERT INTO counterfoil_log.events (
            company, position, event_id, event_type, event_version, recorded_at,
            record_key, cause, trace, epoch, delivery, body, link)
        SELECT
            p_companies[h], v_positions[h] + e - coalesce(p_ends[h - 1], 0), p_event_ids[e],
            p_event_types[coalesce(p_event_kinds[e], 1)], p_event_versions[coalesce(p_event_kinds[e], 1)],
            p_recorded_from + coalesce(p_recorded_after[e], 0) * interval '1 microsecond',
            p_record_keys[e], p_causes[e], p_traces[e], p_epochs[e], p_deliveries[e],
            substring(p_bodies FROM coalesce(p_body_ends[e - 1], 0) + 1
                FOR p_body_ends[e] - coalesce(p_body_ends[e - 1], 0)),
            substring(p_links FROM 32 * e - 31 FOR 32)
        FROM generate_series(1, cardinality(p_companies)) AS h
        CROSS JOIN LATERAL generate_series(coalesce(p_ends[h - 1], 0) + 1, p_ends[h]) AS e;

        UPDATE counterfoil_log.heads AS head
        SET position = v_positions[h] + p_ends[h] - coalesce(p_ends[h - 1], 0),
            hash = substring(p_links FROM 32 * p_ends[h] - 31 FOR 32)
        FROM generate_series(1, cardinality(p_companies)) AS h
        WHERE head.company = ANY (p_companies)
            AND head.company = p_companies[h]
            AND p_ends[h] > coalesce(p_ends[h - 1], 0);
        RETURN;
    END IF;

    RETURN QUERY
    SELECT *
    FROM counterfoil_log.append_each(
        p_companies, p_ends, v_positions, v_hashes, v_epochs, p_head_positions, p_head_hashes, p_links, p_sizes,
        p_guards, p_guard_sizes, p_guard_keys, p_sources, p_delivery_ids, p_since, p_epochs, p_recorded_from,
        p_recorded_after, p_event_types, p_event_versions, p_event_ids, p_event_kinds, p_record_keys, p_causes,
        p_traces, p_deliveries, p_body_ends, p_bodies, p_digests);
END
$$;


ALTER FUNCTION counterfoil_log.append(p_companies bigint[], p_ends integer[], p_head_positions bigint[], p_head_hashes bytea, p_links bytea, p_sizes integer[], p_guards bigint[], p_guard_sizes integer[], p_guard_keys text[], p_sources text[], p_delivery_ids text[], p_since bigint[], p_epochs bigint[], p_recorded_from timestamp with time zone, p_recorded_after bigint[], p_event_types text[], p_event_versions smallint[], p_event_ids uuid[], p_event_kinds smallint[], p_record_keys text[], p_causes bigint[], p_traces text[], p_deliveries text[], p_body_ends integer[], p_bodies bytea, p_digests bytea) OWNER TO counterfoil_owner;

CREATE FUNCTION counterfoil_log.append_each(p_companies bigint[], p_ends integer[], p_positions bigint[], p_hashes bytea, p_head_epochs bigint[], p_believed_positions bigint[], p_believed_hashes bytea, p_links bytea, p_sizes integer[], p_guards bigint[], p_guard_sizes integer[], p_guard_keys text[], p_sources text[], p_delivery_ids text[], p_since bigint[], p_epochs bigint[], p_recorded_from timestamp with time zone, p_recorded_after bigint[], p_event_types text[], p_event_versions smallint[], p_event_ids uuid[], p_event_kinds smallint[], p_record_keys text[], p_causes bigint[], p_traces text[], p_deliveries text[], p_body_ends integer[], p_bodies bytea, p_digests bytea) RETURNS TABLE(status text, "position" bigint, link bytea)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
#variable_conflict use_column
DECLARE
    v_requests CONSTANT integer := coalesce(cardinality(p_sizes), cardinality(p_event_ids));
    v_new_positions bigint[] := p_positions;
    v_new_hashes bytea := p_hashes;
    v_head integer := 0;
    v_company bigint;            -- of that head
    v_position bigint;
    v_hash bytea;
    v_believed boolean;          -- the links given for this company hold from here on
    v_size integer;              -- of the request
    v_found bigint;
    v_event integer := 0;        -- events of the requests before this one
    v_guard integer := 0;        -- guard keys of the requests before this one
    v_inserted integer := 0;     -- requests up to here are inserted, or refused
    v_accepted boolean := false; -- some requests after that wait to be inserted
    v_heads integer[] := array_fill(0, ARRAY[v_requests]);
    v_firsts bigint[] := array_fill(NULL::bigint, ARRAY[v_requests]);
    v_offsets integer[] := array_fill(0, ARRAY[v_requests]);
    v_links bytea := p_links;
    v_made bytea;
BEGIN
    -- One round more than there are requests: the last inserts what is left.
    FOR v_request IN 1..v_requests + 1 LOOP
        -- A guard looks into the table, so what the requests before it appended must be there.
        IF v_accepted AND (v_request > v_requests OR p_guards[v_request] IS NOT NULL) THEN
            INSERT INTO counterfoil_log.events (
                company, position, event_id, event_type, event_version, recorded_at,
                record_key, cause, trace, epoch, delivery, body, link)
            SELECT
                p_companies[v_heads[r]], v_firsts[r] + e - v_offsets[r] - 1, p_event_ids[e],
                p_event_types[coalesce(p_event_kinds[e], 1)], p_event_versions[coalesce(p_event_kinds[e], 1)],
                p_recorded_from + coalesce(p_recorded_after[e], 0) * interval '1 microsecond',
                p_record_keys[e], p_causes[e], p_traces[e], p_epochs[v_offsets[r] + 1], p_deliveries[e],
                substring(p_bodies FROM coalesce(p_body_ends[e - 1], 0) + 1
                    FOR p_body_ends[e] - coalesce(p_body_ends[e - 1], 0)),
                substring(v_links FROM 32 * e - 31 FOR 32)
            FROM generate_series(v_inserted + 1, v_request - 1) AS r
            CROSS JOIN LATERAL generate_series(v_offsets[r] + 1, v_offsets[r] + coalesce(p_sizes[r], 1)) AS e
            WHERE v_firsts[r] IS NOT NULL;
            v_inserted := v_request - 1;
            v_accepted := false;
        END IF;
        EXIT WHEN v_request > v_requests;

        v_size := coalesce(p_sizes[v_request], 1);
        IF v_head = 0 OR v_event >= p_ends[v_head] THEN
            IF v_head > 0 THEN
                v_new_positions[v_head] := v_position;
                v_new_hashes := overlay(v_new_hashes PLACING v_hash FROM 32 * v_head - 31);
            END IF;
            v_head := v_head + 1;
            v_company := p_companies[v_head];
            v_position := p_positions[v_head];
            v_hash := substring(p_hashes FROM 32 * v_head - 31 FOR 32);
            v_believed := p_believed_positions[v_head] IS NOT DISTINCT FROM v_position
                AND substring(p_believed_hashes FROM 32 * v_head - 31 FOR 32) IS NOT DISTINCT FROM v_hash;
        END IF;
        IF v_size < 1 OR v_event + v_size > p_ends[v_head] THEN
            RAISE EXCEPTION 'requests do not match companies' USING ERRCODE = 'invalid_parameter_value';
        END IF;

        status := 'appended';
        position := v_position + 1;
        link := NULL;
        v_found := NULL;

        IF p_since[v_request] IS NOT NULL THEN
            SELECT event.position INTO v_found
            FROM counterfoil_log.events AS event
            WHERE event.company = v_company
                AND event.position > p_since[v_request]
                AND event.event_id = p_event_ids[v_event + 1];
        END IF;

        IF v_found IS NOT NULL THEN
            status := 'found';
            position := v_found;
        ELSIF p_epochs[v_event + 1] <> p_head_epochs[v_head] THEN
            status := 'fenced';
            position := p_head_epochs[v_head];
        ELSIF p_guards[v_request] IS NOT NULL THEN
            SELECT max(newest.position) INTO v_found
            FROM unnest(p_guard_keys[v_guard + 1 : v_guard + p_guard_sizes[v_request]]) AS guarded (record_key)
            CROSS JOIN LATERAL (
                SELECT event.position
                FROM counterfoil_log.events AS event
                WHERE event.company = v_company
                    AND event.record_key = guarded.record_key
                    AND event.position > p_guards[v_request]
                ORDER BY event.position DESC
                LIMIT 1
            ) AS newest;
            IF v_found IS NOT NULL THEN
                status := 'stale';
                position := v_found;
            END IF;
        END IF;
        IF status = 'appended' AND p_sources[v_request] IS NOT NULL THEN
            INSERT INTO counterfoil_log.deliveries (company, source, delivery_id, position)
            VALUES (v_company, p_sources[v_request], p_delivery_ids[v_request], v_position + 1)
            ON CONFLICT DO NOTHING;
            IF NOT FOUND THEN
                status := 'duplicate';
                SELECT delivery.position INTO position
                FROM counterfoil_log.deliveries AS delivery
                WHERE delivery.company = v_company
                    AND delivery.source = p_sources[v_request]
                    AND delivery.delivery_id = p_delivery_ids[v_request];
            END IF;
        END IF;

        IF status <> 'appended' THEN
            v_believed := false;
        ELSE
            v_accepted := true;
            v_heads[v_request] := v_head;
            v_firsts[v_request] := position;
            v_offsets[v_request] := v_event;
            IF v_believed THEN
                v_position := v_position + v_size;
                v_hash := substring(p_links FROM 32 * (v_event + v_size) - 31 FOR 32);
            ELSE
                v_made := '';
                FOR i IN v_event + 1..v_event + v_size LOOP
                    v_position := v_position + 1;
                    v_hash := sha256(v_hash || int8send(v_position) || substring(p_digests FROM 32 * i - 31 FOR 32));
                    v_made := v_made || v_hash;
                END LOOP;
                v_links := overlay(v_links PLACING v_made FROM 32 * v_event + 1);
                link := v_hash;
            END IF;
        END IF;

        v_event := v_event + v_size;
        v_guard := v_guard + coalesce(p_guard_sizes[v_request], 0);
        IF status = 'found' THEN
            -- Recorded, as a lost answer would have said.
            status := 'appended';
        END IF;
        RETURN NEXT;
    END LOOP;
    IF v_event <> cardinality(p_event_ids) THEN
        RAISE EXCEPTION 'requests do not match events' USING ERRCODE = 'invalid_parameter_value';
    END IF;

    v_new_positions[v_head] := v_position;
    v_new_hashes := overlay(v_new_hashes PLACING v_hash FROM 32 * v_head - 31);
    UPDATE counterfoil_log.heads AS head
    SET position = v_new_positions[h], hash = substring(v_new_hashes FROM 32 * h - 31 FOR 32)
    FROM generate_series(1, cardinality(p_companies)) AS h
    WHERE head.company = ANY (p_companies)
        AND head.company = p_companies[h]
        AND head.position < v_new_positions[h];
END
$$;


ALTER FUNCTION counterfoil_log.append_each(p_companies bigint[], p_ends integer[], p_positions bigint[], p_hashes bytea, p_head_epochs bigint[], p_believed_positions bigint[], p_believed_hashes bytea, p_links bytea, p_sizes integer[], p_guards bigint[], p_guard_sizes integer[], p_guard_keys text[], p_sources text[], p_delivery_ids text[], p_since bigint[], p_epochs bigint[], p_recorded_from timestamp with time zone, p_recorded_after bigint[], p_event_types text[], p_event_versions smallint[], p_event_ids uuid[], p_event_kinds smallint[], p_record_keys text[], p_causes bigint[], p_traces text[], p_deliveries text[], p_body_ends integer[], p_bodies bytea, p_digests bytea) OWNER TO counterfoil_owner;

CREATE FUNCTION counterfoil_log.genesis(p_company bigint) RETURNS bytea
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN sha256((convert_to('counterfoil log 1'::text, 'UTF8'::name) || int8send(p_company)));


ALTER FUNCTION counterfoil_log.genesis(p_company bigint) OWNER TO counterfoil_owner;

CREATE FUNCTION counterfoil_log.open_companies(p_companies bigint[]) RETURNS TABLE(company bigint, "position" bigint, hash bytea)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO counterfoil_log.heads (company, position, hash)
    SELECT DISTINCT wanted.company, 0, counterfoil_log.genesis(wanted.company)
    FROM unnest(p_companies) AS wanted (company)
    WHERE NOT EXISTS (SELECT FROM counterfoil_log.heads AS head WHERE head.company = wanted.company)
    ORDER BY 1
    ON CONFLICT DO NOTHING;
    RETURN QUERY
    SELECT head.company, head.position, head.hash
    FROM counterfoil_log.heads AS head
    WHERE head.company = ANY (p_companies);
END
$$;


ALTER FUNCTION counterfoil_log.open_companies(p_companies bigint[]) OWNER TO counterfoil_owner;

CREATE FUNCTION counterfoil_log.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RAISE EXCEPTION '% on %.% refused: the log is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;


ALTER FUNCTION counterfoil_log.refuse_change() OWNER TO counterfoil_owner;

CREATE FUNCTION counterfoil_log.release_lease(p_company bigint, p_holder text, p_epoch bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    DELETE FROM counterfoil_log.leases AS lease
    WHERE lease.company = p_company AND lease.holder = p_holder AND lease.epoch = p_epoch;
    RETURN FOUND;
END
$$;


ALTER FUNCTION counterfoil_log.release_lease(p_company bigint, p_holder text, p_epoch bigint) OWNER TO counterfoil_owner;

CREATE FUNCTION counterfoil_log.renew_lease(p_company bigint, p_holder text, p_epoch bigint, p_seconds double precision) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    UPDATE counterfoil_log.leases AS lease
    SET expires_at = clock_timestamp() + make_interval(secs => p_seconds)
    WHERE lease.company = p_company AND lease.holder = p_holder AND lease.epoch = p_epoch
        AND EXISTS (
            SELECT FROM counterfoil_log.heads AS head WHERE head.company = p_company AND head.epoch = p_epoch);
    RETURN FOUND;
END
$$;


ALTER FUNCTION counterfoil_log.renew_lease(p_company bigint, p_holder text, p_epoch bigint, p_seconds double precision) OWNER TO counterfoil_owner;

CREATE FUNCTION counterfoil_state.close_fresh(p_company bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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


ALTER FUNCTION counterfoil_state.close_fresh(p_company bigint) OWNER TO counterfoil_engine;

CREATE FUNCTION counterfoil_state.count_fresh(p_table text, p_company bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    v_rows bigint;
begin
    execute format('select count(*) from counterfoil_state.%I where company = $1', 'fresh_' || p_table)
    into v_rows
    using p_company;
    return v_rows;
end
$_$;


ALTER FUNCTION counterfoil_state.count_fresh(p_table text, p_company bigint) OWNER TO counterfoil_engine;

CREATE FUNCTION counterfoil_state.empty_fresh(p_company bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    v_table record;
begin
    for v_table in select * from counterfoil_state.projections() loop
        execute format('delete from counterfoil_state.%I where company = $1', 'fresh_' || v_table.name)
        using p_company;
    end loop;
    delete from counterfoil_state.fresh_runs where company = p_company;
end
$_$;


ALTER FUNCTION counterfoil_state.empty_fresh(p_company bigint) OWNER TO counterfoil_engine;

CREATE FUNCTION counterfoil_state.forget_fresh(p_table text, p_company bigint, p_first text[], p_second text[], p_third text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;


ALTER FUNCTION counterfoil_state.forget_fresh(p_table text, p_company bigint, p_first text[], p_second text[], p_third text[]) OWNER TO counterfoil_engine;

CREATE FUNCTION counterfoil_state.fresh_differences(p_table text, p_company bigint) RETURNS TABLE(live jsonb, fresh jsonb)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;


ALTER FUNCTION counterfoil_state.fresh_differences(p_table text, p_company bigint) OWNER TO counterfoil_engine;

CREATE FUNCTION counterfoil_state.is_like(p_table text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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


ALTER FUNCTION counterfoil_state.is_like(p_table text) OWNER TO counterfoil_engine;

CREATE FUNCTION counterfoil_state.open_fresh(p_company bigint, p_edition text) RETURNS TABLE("position" bigint, link bytea)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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


ALTER FUNCTION counterfoil_state.open_fresh(p_company bigint, p_edition text) OWNER TO counterfoil_engine;

CREATE FUNCTION counterfoil_state.open_temporary() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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


ALTER FUNCTION counterfoil_state.open_temporary() OWNER TO counterfoil_engine;

CREATE FUNCTION counterfoil_state.projections() RETURNS TABLE(name text, key_columns text[], columns text[], key text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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


ALTER FUNCTION counterfoil_state.projections() OWNER TO counterfoil_engine;

CREATE FUNCTION counterfoil_state.take_fresh(p_table text, p_company bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;


ALTER FUNCTION counterfoil_state.take_fresh(p_table text, p_company bigint) OWNER TO counterfoil_engine;

CREATE TABLE counterfoil_log.deliveries (
    company bigint NOT NULL,
    source text NOT NULL,
    delivery_id text NOT NULL,
    "position" bigint NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='100000');


ALTER TABLE counterfoil_log.deliveries OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.deliveries IS 'log: which outside deliveries were recorded, and where, so that a repeated one is recorded once';

CREATE TABLE counterfoil_log.events (
    company bigint NOT NULL,
    "position" bigint NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    event_version smallint NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    record_key text,
    cause bigint,
    trace text,
    epoch bigint,
    delivery text,
    body bytea NOT NULL,
    link bytea NOT NULL
)
PARTITION BY HASH (company);


ALTER TABLE counterfoil_log.events OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.events IS 'log: what happened, in order and without gaps per company; each link hashes the one before it';

CREATE TABLE counterfoil_log.events_00 (
    company bigint CONSTRAINT events_company_not_null NOT NULL,
    "position" bigint CONSTRAINT events_position_not_null NOT NULL,
    event_id uuid CONSTRAINT events_event_id_not_null NOT NULL,
    event_type text CONSTRAINT events_event_type_not_null NOT NULL,
    event_version smallint CONSTRAINT events_event_version_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT events_recorded_at_not_null NOT NULL,
    record_key text,
    cause bigint,
    trace text,
    epoch bigint,
    delivery text,
    body bytea CONSTRAINT events_body_not_null NOT NULL,
    link bytea CONSTRAINT events_link_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='100000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='50000');


ALTER TABLE counterfoil_log.events_00 OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.events_00 IS 'log: a sixteenth of the companies'' events';

CREATE TABLE counterfoil_log.events_01 (
    company bigint CONSTRAINT events_company_not_null NOT NULL,
    "position" bigint CONSTRAINT events_position_not_null NOT NULL,
    event_id uuid CONSTRAINT events_event_id_not_null NOT NULL,
    event_type text CONSTRAINT events_event_type_not_null NOT NULL,
    event_version smallint CONSTRAINT events_event_version_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT events_recorded_at_not_null NOT NULL,
    record_key text,
    cause bigint,
    trace text,
    epoch bigint,
    delivery text,
    body bytea CONSTRAINT events_body_not_null NOT NULL,
    link bytea CONSTRAINT events_link_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='100000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='50000');


ALTER TABLE counterfoil_log.events_01 OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.events_01 IS 'log: a sixteenth of the companies'' events';

CREATE TABLE counterfoil_log.events_02 (
    company bigint CONSTRAINT events_company_not_null NOT NULL,
    "position" bigint CONSTRAINT events_position_not_null NOT NULL,
    event_id uuid CONSTRAINT events_event_id_not_null NOT NULL,
    event_type text CONSTRAINT events_event_type_not_null NOT NULL,
    event_version smallint CONSTRAINT events_event_version_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT events_recorded_at_not_null NOT NULL,
    record_key text,
    cause bigint,
    trace text,
    epoch bigint,
    delivery text,
    body bytea CONSTRAINT events_body_not_null NOT NULL,
    link bytea CONSTRAINT events_link_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='100000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='50000');


ALTER TABLE counterfoil_log.events_02 OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.events_02 IS 'log: a sixteenth of the companies'' events';

CREATE TABLE counterfoil_log.events_03 (
    company bigint CONSTRAINT events_company_not_null NOT NULL,
    "position" bigint CONSTRAINT events_position_not_null NOT NULL,
    event_id uuid CONSTRAINT events_event_id_not_null NOT NULL,
    event_type text CONSTRAINT events_event_type_not_null NOT NULL,
    event_version smallint CONSTRAINT events_event_version_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT events_recorded_at_not_null NOT NULL,
    record_key text,
    cause bigint,
    trace text,
    epoch bigint,
    delivery text,
    body bytea CONSTRAINT events_body_not_null NOT NULL,
    link bytea CONSTRAINT events_link_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='100000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='50000');


ALTER TABLE counterfoil_log.events_03 OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.events_03 IS 'log: a sixteenth of the companies'' events';

CREATE TABLE counterfoil_log.events_04 (
    company bigint CONSTRAINT events_company_not_null NOT NULL,
    "position" bigint CONSTRAINT events_position_not_null NOT NULL,
    event_id uuid CONSTRAINT events_event_id_not_null NOT NULL,
    event_type text CONSTRAINT events_event_type_not_null NOT NULL,
    event_version smallint CONSTRAINT events_event_version_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT events_recorded_at_not_null NOT NULL,
    record_key text,
    cause bigint,
    trace text,
    epoch bigint,
    delivery text,
    body bytea CONSTRAINT events_body_not_null NOT NULL,
    link bytea CONSTRAINT events_link_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='100000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='50000');


ALTER TABLE counterfoil_log.events_04 OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.events_04 IS 'log: a sixteenth of the companies'' events';

CREATE TABLE counterfoil_log.events_05 (
    company bigint CONSTRAINT events_company_not_null NOT NULL,
    "position" bigint CONSTRAINT events_position_not_null NOT NULL,
    event_id uuid CONSTRAINT events_event_id_not_null NOT NULL,
    event_type text CONSTRAINT events_event_type_not_null NOT NULL,
    event_version smallint CONSTRAINT events_event_version_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT events_recorded_at_not_null NOT NULL,
    record_key text,
    cause bigint,
    trace text,
    epoch bigint,
    delivery text,
    body bytea CONSTRAINT events_body_not_null NOT NULL,
    link bytea CONSTRAINT events_link_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='100000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='50000');


ALTER TABLE counterfoil_log.events_05 OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.events_05 IS 'log: a sixteenth of the companies'' events';

CREATE TABLE counterfoil_log.events_06 (
    company bigint CONSTRAINT events_company_not_null NOT NULL,
    "position" bigint CONSTRAINT events_position_not_null NOT NULL,
    event_id uuid CONSTRAINT events_event_id_not_null NOT NULL,
    event_type text CONSTRAINT events_event_type_not_null NOT NULL,
    event_version smallint CONSTRAINT events_event_version_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT events_recorded_at_not_null NOT NULL,
    record_key text,
    cause bigint,
    trace text,
    epoch bigint,
    delivery text,
    body bytea CONSTRAINT events_body_not_null NOT NULL,
    link bytea CONSTRAINT events_link_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='100000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='50000');


ALTER TABLE counterfoil_log.events_06 OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.events_06 IS 'log: a sixteenth of the companies'' events';

CREATE TABLE counterfoil_log.events_07 (
    company bigint CONSTRAINT events_company_not_null NOT NULL,
    "position" bigint CONSTRAINT events_position_not_null NOT NULL,
    event_id uuid CONSTRAINT events_event_id_not_null NOT NULL,
    event_type text CONSTRAINT events_event_type_not_null NOT NULL,
    event_version smallint CONSTRAINT events_event_version_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT events_recorded_at_not_null NOT NULL,
    record_key text,
    cause bigint,
    trace text,
    epoch bigint,
    delivery text,
    body bytea CONSTRAINT events_body_not_null NOT NULL,
    link bytea CONSTRAINT events_link_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='100000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='50000');


ALTER TABLE counterfoil_log.events_07 OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.events_07 IS 'log: a sixteenth of the companies'' events';

CREATE TABLE counterfoil_log.events_08 (
    company bigint CONSTRAINT events_company_not_null NOT NULL,
    "position" bigint CONSTRAINT events_position_not_null NOT NULL,
    event_id uuid CONSTRAINT events_event_id_not_null NOT NULL,
    event_type text CONSTRAINT events_event_type_not_null NOT NULL,
    event_version smallint CONSTRAINT events_event_version_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT events_recorded_at_not_null NOT NULL,
    record_key text,
    cause bigint,
    trace text,
    epoch bigint,
    delivery text,
    body bytea CONSTRAINT events_body_not_null NOT NULL,
    link bytea CONSTRAINT events_link_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='100000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='50000');


ALTER TABLE counterfoil_log.events_08 OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.events_08 IS 'log: a sixteenth of the companies'' events';

CREATE TABLE counterfoil_log.events_09 (
    company bigint CONSTRAINT events_company_not_null NOT NULL,
    "position" bigint CONSTRAINT events_position_not_null NOT NULL,
    event_id uuid CONSTRAINT events_event_id_not_null NOT NULL,
    event_type text CONSTRAINT events_event_type_not_null NOT NULL,
    event_version smallint CONSTRAINT events_event_version_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT events_recorded_at_not_null NOT NULL,
    record_key text,
    cause bigint,
    trace text,
    epoch bigint,
    delivery text,
    body bytea CONSTRAINT events_body_not_null NOT NULL,
    link bytea CONSTRAINT events_link_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='100000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='50000');


ALTER TABLE counterfoil_log.events_09 OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.events_09 IS 'log: a sixteenth of the companies'' events';

CREATE TABLE counterfoil_log.events_10 (
    company bigint CONSTRAINT events_company_not_null NOT NULL,
    "position" bigint CONSTRAINT events_position_not_null NOT NULL,
    event_id uuid CONSTRAINT events_event_id_not_null NOT NULL,
    event_type text CONSTRAINT events_event_type_not_null NOT NULL,
    event_version smallint CONSTRAINT events_event_version_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT events_recorded_at_not_null NOT NULL,
    record_key text,
    cause bigint,
    trace text,
    epoch bigint,
    delivery text,
    body bytea CONSTRAINT events_body_not_null NOT NULL,
    link bytea CONSTRAINT events_link_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='100000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='50000');


ALTER TABLE counterfoil_log.events_10 OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.events_10 IS 'log: a sixteenth of the companies'' events';

CREATE TABLE counterfoil_log.events_11 (
    company bigint CONSTRAINT events_company_not_null NOT NULL,
    "position" bigint CONSTRAINT events_position_not_null NOT NULL,
    event_id uuid CONSTRAINT events_event_id_not_null NOT NULL,
    event_type text CONSTRAINT events_event_type_not_null NOT NULL,
    event_version smallint CONSTRAINT events_event_version_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT events_recorded_at_not_null NOT NULL,
    record_key text,
    cause bigint,
    trace text,
    epoch bigint,
    delivery text,
    body bytea CONSTRAINT events_body_not_null NOT NULL,
    link bytea CONSTRAINT events_link_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='100000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='50000');


ALTER TABLE counterfoil_log.events_11 OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.events_11 IS 'log: a sixteenth of the companies'' events';

CREATE TABLE counterfoil_log.events_12 (
    company bigint CONSTRAINT events_company_not_null NOT NULL,
    "position" bigint CONSTRAINT events_position_not_null NOT NULL,
    event_id uuid CONSTRAINT events_event_id_not_null NOT NULL,
    event_type text CONSTRAINT events_event_type_not_null NOT NULL,
    event_version smallint CONSTRAINT events_event_version_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT events_recorded_at_not_null NOT NULL,
    record_key text,
    cause bigint,
    trace text,
    epoch bigint,
    delivery text,
    body bytea CONSTRAINT events_body_not_null NOT NULL,
    link bytea CONSTRAINT events_link_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='100000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='50000');


ALTER TABLE counterfoil_log.events_12 OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.events_12 IS 'log: a sixteenth of the companies'' events';

CREATE TABLE counterfoil_log.events_13 (
    company bigint CONSTRAINT events_company_not_null NOT NULL,
    "position" bigint CONSTRAINT events_position_not_null NOT NULL,
    event_id uuid CONSTRAINT events_event_id_not_null NOT NULL,
    event_type text CONSTRAINT events_event_type_not_null NOT NULL,
    event_version smallint CONSTRAINT events_event_version_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT events_recorded_at_not_null NOT NULL,
    record_key text,
    cause bigint,
    trace text,
    epoch bigint,
    delivery text,
    body bytea CONSTRAINT events_body_not_null NOT NULL,
    link bytea CONSTRAINT events_link_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='100000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='50000');


ALTER TABLE counterfoil_log.events_13 OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.events_13 IS 'log: a sixteenth of the companies'' events';

CREATE TABLE counterfoil_log.events_14 (
    company bigint CONSTRAINT events_company_not_null NOT NULL,
    "position" bigint CONSTRAINT events_position_not_null NOT NULL,
    event_id uuid CONSTRAINT events_event_id_not_null NOT NULL,
    event_type text CONSTRAINT events_event_type_not_null NOT NULL,
    event_version smallint CONSTRAINT events_event_version_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT events_recorded_at_not_null NOT NULL,
    record_key text,
    cause bigint,
    trace text,
    epoch bigint,
    delivery text,
    body bytea CONSTRAINT events_body_not_null NOT NULL,
    link bytea CONSTRAINT events_link_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='100000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='50000');


ALTER TABLE counterfoil_log.events_14 OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.events_14 IS 'log: a sixteenth of the companies'' events';

CREATE TABLE counterfoil_log.events_15 (
    company bigint CONSTRAINT events_company_not_null NOT NULL,
    "position" bigint CONSTRAINT events_position_not_null NOT NULL,
    event_id uuid CONSTRAINT events_event_id_not_null NOT NULL,
    event_type text CONSTRAINT events_event_type_not_null NOT NULL,
    event_version smallint CONSTRAINT events_event_version_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT events_recorded_at_not_null NOT NULL,
    record_key text,
    cause bigint,
    trace text,
    epoch bigint,
    delivery text,
    body bytea CONSTRAINT events_body_not_null NOT NULL,
    link bytea CONSTRAINT events_link_not_null NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='100000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='50000');


ALTER TABLE counterfoil_log.events_15 OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.events_15 IS 'log: a sixteenth of the companies'' events';

CREATE TABLE counterfoil_log.heads (
    company bigint NOT NULL,
    "position" bigint NOT NULL,
    hash bytea NOT NULL,
    epoch bigint DEFAULT 0 NOT NULL,
    CONSTRAINT heads_company_check CHECK ((company >= 0))
)
WITH (fillfactor='10', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='500');


ALTER TABLE counterfoil_log.heads OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.heads IS 'log: last position and link of each company, and the epoch of the lease that may decide for it';

CREATE TABLE counterfoil_log.leases (
    company bigint NOT NULL,
    holder text NOT NULL,
    epoch bigint NOT NULL,
    expires_at timestamp with time zone NOT NULL
)
WITH (fillfactor='10', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='500');


ALTER TABLE counterfoil_log.leases OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.leases IS 'operational: who decides for a company until when; the epoch that counts is the one in heads';

CREATE TABLE counterfoil_log.migrations (
    number integer NOT NULL,
    name text NOT NULL,
    checksum bytea NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    applied_by text DEFAULT SESSION_USER NOT NULL
);


ALTER TABLE counterfoil_log.migrations OWNER TO counterfoil_owner;

COMMENT ON TABLE counterfoil_log.migrations IS 'operational: which schema changes this database has had';

CREATE TABLE counterfoil_state.calls (
    company bigint NOT NULL,
    request_id text NOT NULL,
    target text NOT NULL,
    sent bigint NOT NULL,
    attempts bigint NOT NULL,
    body_hash text NOT NULL,
    open_items text[] NOT NULL
);


ALTER TABLE counterfoil_state.calls OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.calls IS 'projection: A call under one request id.';

CREATE TABLE counterfoil_state.changes (
    company bigint NOT NULL,
    "position" bigint NOT NULL,
    record_key text NOT NULL,
    side text NOT NULL,
    state text NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    fix text NOT NULL,
    decided bigint,
    intents jsonb NOT NULL,
    repair boolean DEFAULT false NOT NULL
);


ALTER TABLE counterfoil_state.changes OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.changes IS 'projection: One observed change and what became of it. `intents` leads from intent id to its state.';

CREATE TABLE counterfoil_state.checkpoints (
    company bigint NOT NULL,
    "position" bigint NOT NULL,
    state text NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    moved_at timestamp with time zone,
    generation bigint DEFAULT 0 NOT NULL
);


ALTER TABLE counterfoil_state.checkpoints OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.checkpoints IS 'projection: How far each company''s log is folded.';

CREATE TABLE counterfoil_state.companies (
    company bigint NOT NULL,
    name text NOT NULL,
    zone text NOT NULL,
    home_currency text NOT NULL,
    realm_id text,
    environment text,
    fingerprint text,
    multi_currency boolean NOT NULL,
    custom_numbers boolean NOT NULL,
    preferences_hash text NOT NULL,
    closed_until text,
    tax_mode text DEFAULT 'none'::text NOT NULL,
    class_tracking boolean DEFAULT false NOT NULL,
    department_tracking boolean DEFAULT false NOT NULL,
    approved bigint,
    recovery text DEFAULT ''::text NOT NULL,
    recovering bigint
);


ALTER TABLE counterfoil_state.companies OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.companies IS 'projection: The company: its books and where they are.';

CREATE TABLE counterfoil_state.connections (
    company bigint NOT NULL,
    state text NOT NULL,
    since timestamp with time zone NOT NULL,
    realm_id text NOT NULL,
    refreshed_at timestamp with time zone,
    access_expires_at timestamp with time zone,
    refresh_expires_at timestamp with time zone,
    hard_expires_at timestamp with time zone,
    warned_window integer,
    warned_end integer,
    CONSTRAINT connections_state_check CHECK ((state = ANY (ARRAY['connected'::text, 'reconnect'::text, 'disconnected'::text])))
);


ALTER TABLE counterfoil_state.connections OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.connections IS 'operational: how each QuickBooks connection stands, and which warnings of its end were given; written anew';

CREATE TABLE counterfoil_state.consents (
    state_hash bytea NOT NULL,
    company bigint NOT NULL,
    redirect_uri text NOT NULL,
    expires_at timestamp with time zone NOT NULL
);


ALTER TABLE counterfoil_state.consents OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.consents IS 'operational: consents that were asked for, by the hash of their state; each is used once, for minutes';

CREATE TABLE counterfoil_state.cursors (
    company bigint NOT NULL,
    connection text NOT NULL,
    kind text NOT NULL,
    cursor text NOT NULL,
    moved_at timestamp with time zone NOT NULL
);


ALTER TABLE counterfoil_state.cursors OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.cursors IS 'operational: Where reading a source goes on; without it the source is read again from the start.';

CREATE TABLE counterfoil_state.documents (
    company bigint NOT NULL,
    entity text NOT NULL,
    document_id text NOT NULL,
    "position" bigint NOT NULL,
    sync_token text,
    status text NOT NULL,
    content_hash text NOT NULL,
    record_key text,
    name text,
    created text,
    merged_into text,
    account_type text
);


ALTER TABLE counterfoil_state.documents OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.documents IS 'projection: A document of the books as last seen; `name` only where a name is no personal data.';

CREATE TABLE counterfoil_state.drifts (
    company bigint NOT NULL,
    about text NOT NULL,
    kind text NOT NULL,
    entity text NOT NULL,
    digest text NOT NULL,
    found bigint NOT NULL,
    document_id text,
    amount numeric,
    currency text,
    cleared bigint
);


ALTER TABLE counterfoil_state.drifts OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.drifts IS 'projection: Differences between source, log and books, until they are cleared.';

CREATE TABLE counterfoil_state.erasures (
    company bigint NOT NULL,
    subject text NOT NULL,
    "position" bigint NOT NULL,
    erased_on text NOT NULL,
    is_person boolean NOT NULL
);


ALTER TABLE counterfoil_state.erasures OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.erasures IS 'projection: Whose key was destroyed, and where that is recorded.';

CREATE TABLE counterfoil_state.hints (
    company bigint NOT NULL,
    connection text NOT NULL,
    kind text NOT NULL,
    source_id text NOT NULL,
    operation text NOT NULL,
    received bigint NOT NULL,
    settled bigint
);


ALTER TABLE counterfoil_state.hints OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.hints IS 'projection: Something that was said to have changed; open until it was read.';

CREATE TABLE counterfoil_state.intents (
    company bigint NOT NULL,
    intent_id text NOT NULL,
    change bigint NOT NULL,
    record_key text NOT NULL,
    target text NOT NULL,
    entity text NOT NULL,
    operation text NOT NULL,
    state text NOT NULL,
    lane text NOT NULL,
    needs text[] NOT NULL,
    content_hash text NOT NULL,
    planned bigint NOT NULL,
    doc_number text,
    name_key text,
    amount numeric,
    currency text,
    generation bigint NOT NULL,
    attempts bigint NOT NULL,
    request_id text,
    sent bigint,
    settled bigint,
    code text NOT NULL,
    reason text NOT NULL,
    fix text NOT NULL,
    run text DEFAULT ''::text NOT NULL,
    undoes text[] DEFAULT '{}'::text[] NOT NULL,
    undone_by text,
    waits_for text[] DEFAULT '{}'::text[] NOT NULL
);


ALTER TABLE counterfoil_state.intents OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.intents IS 'projection: One entry of the outbox: a change wanted on the other side, from plan to settlement.';

CREATE TABLE counterfoil_state.limiter_gauges (
    company bigint NOT NULL,
    metered jsonb NOT NULL,
    used integer NOT NULL,
    allowed integer NOT NULL,
    ceiling numeric NOT NULL,
    waiting jsonb NOT NULL,
    throttled bigint NOT NULL,
    waited_seconds numeric NOT NULL,
    paused_until timestamp with time zone,
    saved_at timestamp with time zone NOT NULL
);


ALTER TABLE counterfoil_state.limiter_gauges OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.limiter_gauges IS 'operational: how each limiter stands, and the metered reads by month; lost, a month counts from now on';

CREATE TABLE counterfoil_state.limiter_stamps (
    company bigint NOT NULL,
    stamps jsonb NOT NULL,
    saved_at timestamp with time zone NOT NULL
);


ALTER TABLE counterfoil_state.limiter_stamps OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.limiter_stamps IS 'operational: The calls of the last minute, so that a restart stays inside the limits.';

CREATE TABLE counterfoil_state.links (
    company bigint NOT NULL,
    record_key text NOT NULL,
    entity text NOT NULL,
    document_id text NOT NULL,
    sync_token text,
    content_hash text NOT NULL,
    image bigint NOT NULL,
    latest bigint NOT NULL,
    sent bigint,
    incarnation bigint NOT NULL,
    status text NOT NULL,
    doc_number text,
    name_key text,
    lines jsonb NOT NULL,
    shared_with text,
    adopted boolean DEFAULT false NOT NULL,
    undone text DEFAULT ''::text NOT NULL,
    renew boolean DEFAULT false NOT NULL,
    kept jsonb DEFAULT '{}'::jsonb NOT NULL
);


ALTER TABLE counterfoil_state.links OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.links IS 'projection: A source record and its document. The positions say where the two images are to be found.';

CREATE TABLE counterfoil_state.mappings (
    company bigint NOT NULL,
    connection text NOT NULL,
    "position" bigint NOT NULL,
    digest text NOT NULL
);


ALTER TABLE counterfoil_state.mappings OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.mappings IS 'projection: Where the mapping that holds now is to be found.';

CREATE TABLE counterfoil_state.payments (
    company bigint NOT NULL,
    payment_id text NOT NULL,
    "position" bigint NOT NULL,
    status text NOT NULL,
    invoices text[] NOT NULL,
    unapplied numeric NOT NULL
);


ALTER TABLE counterfoil_state.payments OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.payments IS 'projection: What one payment in the books does: per invoice, the cash and the credited part.';

CREATE TABLE counterfoil_state.records (
    company bigint NOT NULL,
    record_key text NOT NULL,
    kind text NOT NULL,
    "position" bigint NOT NULL,
    version text NOT NULL,
    content_hash text NOT NULL,
    removed boolean NOT NULL,
    told bigint
);


ALTER TABLE counterfoil_state.records OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.records IS 'projection: A source record as last observed.';

CREATE TABLE counterfoil_state.recovered (
    company bigint NOT NULL,
    entity text NOT NULL,
    sign text NOT NULL,
    documents text[] NOT NULL,
    observed bigint NOT NULL
);


ALTER TABLE counterfoil_state.recovered OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.recovered IS 'projection: Documents of ours that a recovery found, by the sign that they bear.';

CREATE TABLE counterfoil_state.requests (
    company bigint NOT NULL,
    "position" bigint NOT NULL,
    action text NOT NULL,
    record_key text NOT NULL,
    intent_id text,
    author text NOT NULL,
    taken bigint,
    document text
);


ALTER TABLE counterfoil_state.requests OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.requests IS 'projection: What an operator asked for, open until it is taken up.';

CREATE TABLE counterfoil_state.reviews (
    company bigint NOT NULL,
    record_key text NOT NULL,
    verdict text NOT NULL,
    "position" bigint NOT NULL
);


ALTER TABLE counterfoil_state.reviews OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.reviews IS 'projection: What a person said of a source record that nothing in the books stands for.';

CREATE TABLE counterfoil_state.runs_asked (
    company bigint NOT NULL,
    run text NOT NULL,
    kind text NOT NULL,
    asked bigint NOT NULL,
    author text NOT NULL,
    reason text NOT NULL,
    taken bigint,
    later text NOT NULL,
    planned bigint NOT NULL,
    refused bigint NOT NULL
);


ALTER TABLE counterfoil_state.runs_asked OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.runs_asked IS 'projection: Work that a person asked for as a whole, and what became of it.';

CREATE TABLE counterfoil_state.sealing_keys (
    company bigint NOT NULL,
    scope text NOT NULL,
    generation integer NOT NULL,
    wrapped bytea,
    wrapped_by text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    destroyed_at timestamp with time zone,
    CONSTRAINT sealing_keys_check CHECK (((wrapped IS NULL) = (destroyed_at IS NOT NULL))),
    CONSTRAINT sealing_keys_generation_check CHECK ((generation > 0))
);


ALTER TABLE counterfoil_state.sealing_keys OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.sealing_keys IS 'keys: data keys, each wrapped under the master key; a destroyed one keeps its row and loses its bytes';

CREATE TABLE counterfoil_state.settlements (
    company bigint NOT NULL,
    invoice_id text NOT NULL,
    payment_id text NOT NULL,
    cash numeric NOT NULL,
    credited numeric NOT NULL,
    unapplied numeric NOT NULL,
    dated text
);


ALTER TABLE counterfoil_state.settlements OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.settlements IS 'projection: The part of one payment that settles one invoice; zero once the payment no longer does.';

CREATE TABLE counterfoil_state.source_tokens (
    company bigint NOT NULL,
    connection text NOT NULL,
    origin bytea NOT NULL,
    generation bigint NOT NULL,
    format_version smallint NOT NULL,
    master_key text NOT NULL,
    wrapped_key bytea NOT NULL,
    ciphertext bytea NOT NULL,
    access_expires_at timestamp with time zone,
    stored_at timestamp with time zone NOT NULL,
    refused_at timestamp with time zone,
    CONSTRAINT source_tokens_generation_check CHECK ((generation > 0))
);


ALTER TABLE counterfoil_state.source_tokens OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.source_tokens IS 'keys: OAuth tokens of sources, sealed, by company, connection and the refresh token they came of; from no event';

CREATE TABLE counterfoil_state.sources (
    company bigint NOT NULL,
    connection text NOT NULL,
    refused bigint,
    digest text NOT NULL
);


ALTER TABLE counterfoil_state.sources OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.sources IS 'projection: Where a source last refused to be read, until it answers again.';

CREATE TABLE counterfoil_state.tokens (
    company bigint NOT NULL,
    generation bigint NOT NULL,
    format_version smallint NOT NULL,
    master_key text NOT NULL,
    wrapped_key bytea NOT NULL,
    ciphertext bytea NOT NULL,
    access_expires_at timestamp with time zone NOT NULL,
    refresh_expires_at timestamp with time zone NOT NULL,
    stored_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT tokens_generation_check CHECK ((generation > 0))
);


ALTER TABLE counterfoil_state.tokens OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.tokens IS 'keys: OAuth tokens by company, sealed; a company without a row is not connected. Never derived from the log.';

CREATE TABLE counterfoil_state.verdicts (
    company bigint NOT NULL,
    checked_at timestamp with time zone NOT NULL,
    "position" bigint NOT NULL,
    faults bigint NOT NULL,
    first_fault text NOT NULL
);


ALTER TABLE counterfoil_state.verdicts OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.verdicts IS 'operational: what verifying the log found last; while it found faults, nothing is written for the company.';

CREATE TABLE counterfoil_state.works (
    company bigint NOT NULL,
    what text NOT NULL,
    holder text NOT NULL,
    begun_at timestamp with time zone NOT NULL
);


ALTER TABLE counterfoil_state.works OWNER TO counterfoil_engine;

COMMENT ON TABLE counterfoil_state.works IS 'operational: which operator''s work was begun last; it counts only while its lock is held.';

ALTER TABLE ONLY counterfoil_log.events ATTACH PARTITION counterfoil_log.events_00 FOR VALUES WITH (modulus 16, remainder 0);

ALTER TABLE ONLY counterfoil_log.events ATTACH PARTITION counterfoil_log.events_01 FOR VALUES WITH (modulus 16, remainder 1);

ALTER TABLE ONLY counterfoil_log.events ATTACH PARTITION counterfoil_log.events_02 FOR VALUES WITH (modulus 16, remainder 2);

ALTER TABLE ONLY counterfoil_log.events ATTACH PARTITION counterfoil_log.events_03 FOR VALUES WITH (modulus 16, remainder 3);

ALTER TABLE ONLY counterfoil_log.events ATTACH PARTITION counterfoil_log.events_04 FOR VALUES WITH (modulus 16, remainder 4);

ALTER TABLE ONLY counterfoil_log.events ATTACH PARTITION counterfoil_log.events_05 FOR VALUES WITH (modulus 16, remainder 5);

ALTER TABLE ONLY counterfoil_log.events ATTACH PARTITION counterfoil_log.events_06 FOR VALUES WITH (modulus 16, remainder 6);

ALTER TABLE ONLY counterfoil_log.events ATTACH PARTITION counterfoil_log.events_07 FOR VALUES WITH (modulus 16, remainder 7);

ALTER TABLE ONLY counterfoil_log.events ATTACH PARTITION counterfoil_log.events_08 FOR VALUES WITH (modulus 16, remainder 8);

ALTER TABLE ONLY counterfoil_log.events ATTACH PARTITION counterfoil_log.events_09 FOR VALUES WITH (modulus 16, remainder 9);

ALTER TABLE ONLY counterfoil_log.events ATTACH PARTITION counterfoil_log.events_10 FOR VALUES WITH (modulus 16, remainder 10);

ALTER TABLE ONLY counterfoil_log.events ATTACH PARTITION counterfoil_log.events_11 FOR VALUES WITH (modulus 16, remainder 11);

ALTER TABLE ONLY counterfoil_log.events ATTACH PARTITION counterfoil_log.events_12 FOR VALUES WITH (modulus 16, remainder 12);

ALTER TABLE ONLY counterfoil_log.events ATTACH PARTITION counterfoil_log.events_13 FOR VALUES WITH (modulus 16, remainder 13);

ALTER TABLE ONLY counterfoil_log.events ATTACH PARTITION counterfoil_log.events_14 FOR VALUES WITH (modulus 16, remainder 14);

ALTER TABLE ONLY counterfoil_log.events ATTACH PARTITION counterfoil_log.events_15 FOR VALUES WITH (modulus 16, remainder 15);

ALTER TABLE ONLY counterfoil_log.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (company, source, delivery_id);

ALTER TABLE ONLY counterfoil_log.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_log.events_00
    ADD CONSTRAINT events_00_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_log.events_01
    ADD CONSTRAINT events_01_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_log.events_02
    ADD CONSTRAINT events_02_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_log.events_03
    ADD CONSTRAINT events_03_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_log.events_04
    ADD CONSTRAINT events_04_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_log.events_05
    ADD CONSTRAINT events_05_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_log.events_06
    ADD CONSTRAINT events_06_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_log.events_07
    ADD CONSTRAINT events_07_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_log.events_08
    ADD CONSTRAINT events_08_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_log.events_09
    ADD CONSTRAINT events_09_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_log.events_10
    ADD CONSTRAINT events_10_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_log.events_11
    ADD CONSTRAINT events_11_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_log.events_12
    ADD CONSTRAINT events_12_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_log.events_13
    ADD CONSTRAINT events_13_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_log.events_14
    ADD CONSTRAINT events_14_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_log.events_15
    ADD CONSTRAINT events_15_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_log.heads
    ADD CONSTRAINT heads_pkey PRIMARY KEY (company);

ALTER TABLE ONLY counterfoil_log.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (company);

ALTER TABLE ONLY counterfoil_log.migrations
    ADD CONSTRAINT migrations_name_key UNIQUE (name);

ALTER TABLE ONLY counterfoil_log.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (number);

ALTER TABLE ONLY counterfoil_state.calls
    ADD CONSTRAINT calls_pkey PRIMARY KEY (company, request_id);

ALTER TABLE ONLY counterfoil_state.changes
    ADD CONSTRAINT changes_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_state.checkpoints
    ADD CONSTRAINT checkpoints_pkey PRIMARY KEY (company);

ALTER TABLE ONLY counterfoil_state.companies
    ADD CONSTRAINT companies_pkey PRIMARY KEY (company);

ALTER TABLE ONLY counterfoil_state.connections
    ADD CONSTRAINT connections_pkey PRIMARY KEY (company);

ALTER TABLE ONLY counterfoil_state.consents
    ADD CONSTRAINT consents_pkey PRIMARY KEY (state_hash);

ALTER TABLE ONLY counterfoil_state.cursors
    ADD CONSTRAINT cursors_pkey PRIMARY KEY (company, connection, kind);

ALTER TABLE ONLY counterfoil_state.documents
    ADD CONSTRAINT documents_pkey PRIMARY KEY (company, entity, document_id);

ALTER TABLE ONLY counterfoil_state.drifts
    ADD CONSTRAINT drifts_pkey PRIMARY KEY (company, about, kind);

ALTER TABLE ONLY counterfoil_state.erasures
    ADD CONSTRAINT erasures_pkey PRIMARY KEY (company, subject);

ALTER TABLE ONLY counterfoil_state.hints
    ADD CONSTRAINT hints_pkey PRIMARY KEY (company, connection, kind, source_id);

ALTER TABLE ONLY counterfoil_state.intents
    ADD CONSTRAINT intents_pkey PRIMARY KEY (company, intent_id);

ALTER TABLE ONLY counterfoil_state.limiter_gauges
    ADD CONSTRAINT limiter_gauges_pkey PRIMARY KEY (company);

ALTER TABLE ONLY counterfoil_state.limiter_stamps
    ADD CONSTRAINT limiter_stamps_pkey PRIMARY KEY (company);

ALTER TABLE ONLY counterfoil_state.links
    ADD CONSTRAINT links_pkey PRIMARY KEY (company, record_key);

ALTER TABLE ONLY counterfoil_state.mappings
    ADD CONSTRAINT mappings_pkey PRIMARY KEY (company, connection);

ALTER TABLE ONLY counterfoil_state.payments
    ADD CONSTRAINT payments_pkey PRIMARY KEY (company, payment_id);

ALTER TABLE ONLY counterfoil_state.records
    ADD CONSTRAINT records_pkey PRIMARY KEY (company, record_key);

ALTER TABLE ONLY counterfoil_state.recovered
    ADD CONSTRAINT recovered_pkey PRIMARY KEY (company, entity, sign);

ALTER TABLE ONLY counterfoil_state.requests
    ADD CONSTRAINT requests_pkey PRIMARY KEY (company, "position");

ALTER TABLE ONLY counterfoil_state.reviews
    ADD CONSTRAINT reviews_pkey PRIMARY KEY (company, record_key);

ALTER TABLE ONLY counterfoil_state.runs_asked
    ADD CONSTRAINT runs_asked_pkey PRIMARY KEY (company, run);

ALTER TABLE ONLY counterfoil_state.sealing_keys
    ADD CONSTRAINT sealing_keys_pkey PRIMARY KEY (company, scope, generation);

ALTER TABLE ONLY counterfoil_state.settlements
    ADD CONSTRAINT settlements_pkey PRIMARY KEY (company, invoice_id, payment_id);

ALTER TABLE ONLY counterfoil_state.source_tokens
    ADD CONSTRAINT source_tokens_pkey PRIMARY KEY (company, connection, origin);

ALTER TABLE ONLY counterfoil_state.sources
    ADD CONSTRAINT sources_pkey PRIMARY KEY (company, connection);

ALTER TABLE ONLY counterfoil_state.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (company);

ALTER TABLE ONLY counterfoil_state.verdicts
    ADD CONSTRAINT verdicts_pkey PRIMARY KEY (company);

ALTER TABLE ONLY counterfoil_state.works
    ADD CONSTRAINT works_pkey PRIMARY KEY (company);

CREATE INDEX events_record ON ONLY counterfoil_log.events USING btree (company, record_key, "position") WHERE (record_key IS NOT NULL);

CREATE INDEX events_00_company_record_key_position_idx ON counterfoil_log.events_00 USING btree (company, record_key, "position") WHERE (record_key IS NOT NULL);

CREATE INDEX events_01_company_record_key_position_idx ON counterfoil_log.events_01 USING btree (company, record_key, "position") WHERE (record_key IS NOT NULL);

CREATE INDEX events_02_company_record_key_position_idx ON counterfoil_log.events_02 USING btree (company, record_key, "position") WHERE (record_key IS NOT NULL);

CREATE INDEX events_03_company_record_key_position_idx ON counterfoil_log.events_03 USING btree (company, record_key, "position") WHERE (record_key IS NOT NULL);

CREATE INDEX events_04_company_record_key_position_idx ON counterfoil_log.events_04 USING btree (company, record_key, "position") WHERE (record_key IS NOT NULL);

CREATE INDEX events_05_company_record_key_position_idx ON counterfoil_log.events_05 USING btree (company, record_key, "position") WHERE (record_key IS NOT NULL);

CREATE INDEX events_06_company_record_key_position_idx ON counterfoil_log.events_06 USING btree (company, record_key, "position") WHERE (record_key IS NOT NULL);

CREATE INDEX events_07_company_record_key_position_idx ON counterfoil_log.events_07 USING btree (company, record_key, "position") WHERE (record_key IS NOT NULL);

CREATE INDEX events_08_company_record_key_position_idx ON counterfoil_log.events_08 USING btree (company, record_key, "position") WHERE (record_key IS NOT NULL);

CREATE INDEX events_09_company_record_key_position_idx ON counterfoil_log.events_09 USING btree (company, record_key, "position") WHERE (record_key IS NOT NULL);

CREATE INDEX events_10_company_record_key_position_idx ON counterfoil_log.events_10 USING btree (company, record_key, "position") WHERE (record_key IS NOT NULL);

CREATE INDEX events_11_company_record_key_position_idx ON counterfoil_log.events_11 USING btree (company, record_key, "position") WHERE (record_key IS NOT NULL);

CREATE INDEX events_12_company_record_key_position_idx ON counterfoil_log.events_12 USING btree (company, record_key, "position") WHERE (record_key IS NOT NULL);

CREATE INDEX events_13_company_record_key_position_idx ON counterfoil_log.events_13 USING btree (company, record_key, "position") WHERE (record_key IS NOT NULL);

CREATE INDEX events_14_company_record_key_position_idx ON counterfoil_log.events_14 USING btree (company, record_key, "position") WHERE (record_key IS NOT NULL);

CREATE INDEX events_15_company_record_key_position_idx ON counterfoil_log.events_15 USING btree (company, record_key, "position") WHERE (record_key IS NOT NULL);

CREATE INDEX calls_open ON counterfoil_state.calls USING btree (company, sent) WHERE (open_items <> '{}'::text[]);

CREATE INDEX changes_by_record ON counterfoil_state.changes USING btree (company, record_key, "position");

CREATE INDEX changes_by_state ON counterfoil_state.changes USING btree (company, state, "position");

CREATE INDEX documents_by_name ON counterfoil_state.documents USING btree (company, entity, lower(name)) WHERE (name IS NOT NULL);

CREATE INDEX documents_by_record ON counterfoil_state.documents USING btree (company, record_key) WHERE (record_key IS NOT NULL);

CREATE INDEX drifts_open ON counterfoil_state.drifts USING btree (company, about, kind) WHERE (cleared IS NULL);

CREATE INDEX hints_open ON counterfoil_state.hints USING btree (company, received) WHERE (settled IS NULL);

CREATE INDEX intents_by_name ON counterfoil_state.intents USING btree (company, entity, name_key) WHERE (name_key IS NOT NULL);

CREATE INDEX intents_by_number ON counterfoil_state.intents USING btree (company, entity, doc_number) WHERE (doc_number IS NOT NULL);

CREATE INDEX intents_by_record ON counterfoil_state.intents USING btree (company, record_key);

CREATE INDEX intents_by_state ON counterfoil_state.intents USING btree (company, state, planned);

CREATE INDEX links_by_name ON counterfoil_state.links USING btree (company, entity, name_key) WHERE (name_key IS NOT NULL);

CREATE INDEX records_told ON counterfoil_state.records USING btree (company, record_key) WHERE (told IS NOT NULL);

CREATE INDEX requests_open ON counterfoil_state.requests USING btree (company, "position") WHERE (taken IS NULL);

CREATE UNIQUE INDEX sealing_keys_living ON counterfoil_state.sealing_keys USING btree (company, scope) WHERE (destroyed_at IS NULL);

ALTER INDEX counterfoil_log.events_record ATTACH PARTITION counterfoil_log.events_00_company_record_key_position_idx;

ALTER INDEX counterfoil_log.events_pkey ATTACH PARTITION counterfoil_log.events_00_pkey;

ALTER INDEX counterfoil_log.events_record ATTACH PARTITION counterfoil_log.events_01_company_record_key_position_idx;

ALTER INDEX counterfoil_log.events_pkey ATTACH PARTITION counterfoil_log.events_01_pkey;

ALTER INDEX counterfoil_log.events_record ATTACH PARTITION counterfoil_log.events_02_company_record_key_position_idx;

ALTER INDEX counterfoil_log.events_pkey ATTACH PARTITION counterfoil_log.events_02_pkey;

ALTER INDEX counterfoil_log.events_record ATTACH PARTITION counterfoil_log.events_03_company_record_key_position_idx;

ALTER INDEX counterfoil_log.events_pkey ATTACH PARTITION counterfoil_log.events_03_pkey;

ALTER INDEX counterfoil_log.events_record ATTACH PARTITION counterfoil_log.events_04_company_record_key_position_idx;

ALTER INDEX counterfoil_log.events_pkey ATTACH PARTITION counterfoil_log.events_04_pkey;

ALTER INDEX counterfoil_log.events_record ATTACH PARTITION counterfoil_log.events_05_company_record_key_position_idx;

ALTER INDEX counterfoil_log.events_pkey ATTACH PARTITION counterfoil_log.events_05_pkey;

ALTER INDEX counterfoil_log.events_record ATTACH PARTITION counterfoil_log.events_06_company_record_key_position_idx;

ALTER INDEX counterfoil_log.events_pkey ATTACH PARTITION counterfoil_log.events_06_pkey;

ALTER INDEX counterfoil_log.events_record ATTACH PARTITION counterfoil_log.events_07_company_record_key_position_idx;

ALTER INDEX counterfoil_log.events_pkey ATTACH PARTITION counterfoil_log.events_07_pkey;

ALTER INDEX counterfoil_log.events_record ATTACH PARTITION counterfoil_log.events_08_company_record_key_position_idx;

ALTER INDEX counterfoil_log.events_pkey ATTACH PARTITION counterfoil_log.events_08_pkey;

ALTER INDEX counterfoil_log.events_record ATTACH PARTITION counterfoil_log.events_09_company_record_key_position_idx;

ALTER INDEX counterfoil_log.events_pkey ATTACH PARTITION counterfoil_log.events_09_pkey;

ALTER INDEX counterfoil_log.events_record ATTACH PARTITION counterfoil_log.events_10_company_record_key_position_idx;

ALTER INDEX counterfoil_log.events_pkey ATTACH PARTITION counterfoil_log.events_10_pkey;

ALTER INDEX counterfoil_log.events_record ATTACH PARTITION counterfoil_log.events_11_company_record_key_position_idx;

ALTER INDEX counterfoil_log.events_pkey ATTACH PARTITION counterfoil_log.events_11_pkey;

ALTER INDEX counterfoil_log.events_record ATTACH PARTITION counterfoil_log.events_12_company_record_key_position_idx;

ALTER INDEX counterfoil_log.events_pkey ATTACH PARTITION counterfoil_log.events_12_pkey;

ALTER INDEX counterfoil_log.events_record ATTACH PARTITION counterfoil_log.events_13_company_record_key_position_idx;

ALTER INDEX counterfoil_log.events_pkey ATTACH PARTITION counterfoil_log.events_13_pkey;

ALTER INDEX counterfoil_log.events_record ATTACH PARTITION counterfoil_log.events_14_company_record_key_position_idx;

ALTER INDEX counterfoil_log.events_pkey ATTACH PARTITION counterfoil_log.events_14_pkey;

ALTER INDEX counterfoil_log.events_record ATTACH PARTITION counterfoil_log.events_15_company_record_key_position_idx;

ALTER INDEX counterfoil_log.events_pkey ATTACH PARTITION counterfoil_log.events_15_pkey;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON counterfoil_log.deliveries FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON counterfoil_log.events FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON counterfoil_log.events_00 FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON counterfoil_log.events_01 FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON counterfoil_log.events_02 FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON counterfoil_log.events_03 FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON counterfoil_log.events_04 FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON counterfoil_log.events_05 FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON counterfoil_log.events_06 FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON counterfoil_log.events_07 FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON counterfoil_log.events_08 FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON counterfoil_log.events_09 FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON counterfoil_log.events_10 FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON counterfoil_log.events_11 FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON counterfoil_log.events_12 FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON counterfoil_log.events_13 FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON counterfoil_log.events_14 FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON counterfoil_log.events_15 FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change();

GRANT USAGE ON SCHEMA counterfoil_log TO counterfoil_engine;

GRANT USAGE ON SCHEMA counterfoil_state TO counterfoil_owner;

REVOKE ALL ON FUNCTION counterfoil_log.acquire_lease(p_company bigint, p_holder text, p_seconds double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION counterfoil_log.acquire_lease(p_company bigint, p_holder text, p_seconds double precision) TO counterfoil_engine;

REVOKE ALL ON FUNCTION counterfoil_log.append(p_companies bigint[], p_ends integer[], p_head_positions bigint[], p_head_hashes bytea, p_links bytea, p_sizes integer[], p_guards bigint[], p_guard_sizes integer[], p_guard_keys text[], p_sources text[], p_delivery_ids text[], p_since bigint[], p_epochs bigint[], p_recorded_from timestamp with time zone, p_recorded_after bigint[], p_event_types text[], p_event_versions smallint[], p_event_ids uuid[], p_event_kinds smallint[], p_record_keys text[], p_causes bigint[], p_traces text[], p_deliveries text[], p_body_ends integer[], p_bodies bytea, p_digests bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION counterfoil_log.append(p_companies bigint[], p_ends integer[], p_head_positions bigint[], p_head_hashes bytea, p_links bytea, p_sizes integer[], p_guards bigint[], p_guard_sizes integer[], p_guard_keys text[], p_sources text[], p_delivery_ids text[], p_since bigint[], p_epochs bigint[], p_recorded_from timestamp with time zone, p_recorded_after bigint[], p_event_types text[], p_event_versions smallint[], p_event_ids uuid[], p_event_kinds smallint[], p_record_keys text[], p_causes bigint[], p_traces text[], p_deliveries text[], p_body_ends integer[], p_bodies bytea, p_digests bytea) TO counterfoil_engine;

REVOKE ALL ON FUNCTION counterfoil_log.append_each(p_companies bigint[], p_ends integer[], p_positions bigint[], p_hashes bytea, p_head_epochs bigint[], p_believed_positions bigint[], p_believed_hashes bytea, p_links bytea, p_sizes integer[], p_guards bigint[], p_guard_sizes integer[], p_guard_keys text[], p_sources text[], p_delivery_ids text[], p_since bigint[], p_epochs bigint[], p_recorded_from timestamp with time zone, p_recorded_after bigint[], p_event_types text[], p_event_versions smallint[], p_event_ids uuid[], p_event_kinds smallint[], p_record_keys text[], p_causes bigint[], p_traces text[], p_deliveries text[], p_body_ends integer[], p_bodies bytea, p_digests bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION counterfoil_log.open_companies(p_companies bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION counterfoil_log.open_companies(p_companies bigint[]) TO counterfoil_engine;

REVOKE ALL ON FUNCTION counterfoil_log.release_lease(p_company bigint, p_holder text, p_epoch bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION counterfoil_log.release_lease(p_company bigint, p_holder text, p_epoch bigint) TO counterfoil_engine;

REVOKE ALL ON FUNCTION counterfoil_log.renew_lease(p_company bigint, p_holder text, p_epoch bigint, p_seconds double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION counterfoil_log.renew_lease(p_company bigint, p_holder text, p_epoch bigint, p_seconds double precision) TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.deliveries TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.events TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.events_00 TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.events_01 TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.events_02 TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.events_03 TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.events_04 TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.events_05 TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.events_06 TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.events_07 TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.events_08 TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.events_09 TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.events_10 TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.events_11 TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.events_12 TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.events_13 TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.events_14 TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.events_15 TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.heads TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.leases TO counterfoil_engine;

GRANT SELECT ON TABLE counterfoil_log.migrations TO counterfoil_engine;
