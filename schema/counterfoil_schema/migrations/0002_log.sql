-- The log: heads, events, outside deliveries, leases, and the functions that are the only way to write any of them.
--
-- Each function runs with its owner's rights and a fixed search path, names everything in full, and is granted to
-- the engine alone. Each works on whole companies under the lock of their heads, taken in ascending order.

CREATE TABLE counterfoil_log.heads (
    company bigint PRIMARY KEY CHECK (company >= 0),
    position bigint NOT NULL CHECK (position >= 0),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    epoch bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0)
)
-- Updated by every append: room on the page keeps the new versions there and out of the index.
WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
COMMENT ON TABLE counterfoil_log.heads IS
    'log: last position and link of each company, and the epoch of the lease that may decide for it';

CREATE TABLE counterfoil_log.events (
    company bigint NOT NULL,
    position bigint NOT NULL CHECK (position > 0),
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    event_version smallint NOT NULL,
    recorded_at timestamptz NOT NULL,
    record_key text,
    cause bigint,
    trace text,
    epoch bigint,
    delivery text,
    body bytea NOT NULL,
    link bytea NOT NULL CHECK (length(link) = 32),
    PRIMARY KEY (company, position)
) PARTITION BY HASH (company);
COMMENT ON TABLE counterfoil_log.events IS
    'log: what happened, in order and without gaps per company; each link hashes the one before it';

CREATE TABLE counterfoil_log.deliveries (
    company bigint NOT NULL,
    source text NOT NULL,
    delivery_id text NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (company, source, delivery_id)
)
WITH (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000);
COMMENT ON TABLE counterfoil_log.deliveries IS
    'log: which outside deliveries were recorded, and where, so that a repeated one is recorded once';

CREATE TABLE counterfoil_log.leases (
    company bigint PRIMARY KEY,
    holder text NOT NULL,
    epoch bigint NOT NULL,
    expires_at timestamptz NOT NULL
)
WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
COMMENT ON TABLE counterfoil_log.leases IS
    'operational: who decides for a company until when; the epoch that counts is the one in heads';

CREATE FUNCTION counterfoil_log.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% on %.% refused: the log is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

DO $$
DECLARE
    v_table text;
BEGIN
    FOR v_remainder IN 0..15 LOOP
        EXECUTE format(
            'CREATE TABLE counterfoil_log.events_%s PARTITION OF counterfoil_log.events '
            'FOR VALUES WITH (MODULUS 16, REMAINDER %s) '
            -- Inserts alone wake the vacuum at a fixed count, not at a fifth of a table that never stops growing.
            'WITH (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000, '
            'autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000)',
            lpad(v_remainder::text, 2, '0'), v_remainder);
        EXECUTE format(
            'COMMENT ON TABLE counterfoil_log.events_%s IS %L',
            lpad(v_remainder::text, 2, '0'), 'log: a sixteenth of the companies'' events');
    END LOOP;
    -- A parent's statement triggers do not fire for statements on a partition: each has its own.
    FOR v_table IN
        SELECT relation.oid::regclass::text
        FROM pg_class AS relation
        WHERE relation.oid = 'counterfoil_log.events'::regclass
            OR relation.oid = 'counterfoil_log.deliveries'::regclass
            OR relation.oid IN (
                SELECT inhrelid FROM pg_inherits WHERE inhparent = 'counterfoil_log.events'::regclass)
    LOOP
        EXECUTE format(
            'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s '
            'FOR EACH STATEMENT EXECUTE FUNCTION counterfoil_log.refuse_change()', v_table);
        EXECUTE format('GRANT SELECT ON %s TO counterfoil_engine', v_table);
    END LOOP;
END
$$;

CREATE INDEX events_record ON counterfoil_log.events (company, record_key, position) WHERE record_key IS NOT NULL;

GRANT SELECT ON counterfoil_log.heads, counterfoil_log.leases TO counterfoil_engine;

-- The link before a company's first event. Mirrored by counterfoil.log.chain.genesis.
CREATE FUNCTION counterfoil_log.genesis(p_company bigint) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN sha256(convert_to('counterfoil log 1', 'UTF8') || int8send(p_company));

-- Makes heads for companies that have none and tells where each of them stands. In a transaction of its own, so
-- that an append never creates a head while it holds another.
CREATE FUNCTION counterfoil_log.open_companies(p_companies bigint[])
RETURNS TABLE (company bigint, "position" bigint, hash bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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

-- Appends many requests of many companies; each is recorded whole or not at all, and none harms another.
--
-- Companies ascend; of each, the number of events up to its last one, and the head that the caller believes in:
-- position and hash, hashes 32 bytes each, end to end. Links follow, one for each event, as they are if every belief
-- holds and every request is recorded. They count for a company only as far as both are so, which is seen here, under
-- the lock; otherwise its links are made here.
--
-- Per request: its number of events (one each if NULL); the position after which nothing may bear on the guard's
-- record keys; one outside delivery; and, on a repeat after a lost answer, the position after which the request's
-- events may already stand. Guard keys of all requests follow each other.
--
-- Per event: the epoch that a decision brings, the same throughout a request; and its columns. Instants are
-- microseconds after the first; a body ends at that byte of all of them together; types and versions that occur are
-- listed once, and an event's kind is its place in that list, the first if NULL; digests are 32 bytes each, end to
-- end. What no request or event fills may be NULL as a whole.
--
-- Answers nothing if all was recorded from where the caller believed each head to stand. Otherwise, for each request,
-- a status: 'appended' (first position), 'duplicate' (position of the earlier delivery), 'fenced' (the head's epoch),
-- 'stale' (the newest position that bears on a guarded record); and its last link, where it was made here.
CREATE FUNCTION counterfoil_log.append(
    p_companies bigint[],
    p_ends integer[],
    p_head_positions bigint[],
    p_head_hashes bytea,
    p_links bytea,
    p_sizes integer[],
    p_guards bigint[],
    p_guard_sizes integer[],
    p_guard_keys text[],
    p_sources text[],
    p_delivery_ids text[],
    p_since bigint[],
    p_epochs bigint[],
    p_recorded_from timestamptz,
    p_recorded_after bigint[],
    p_event_types text[],
    p_event_versions smallint[],
    p_event_ids uuid[],
    p_event_kinds smallint[],
    p_record_keys text[],
    p_causes bigint[],
    p_traces text[],
    p_deliveries text[],
    p_body_ends integer[],
    p_bodies bytea,
    p_digests bytea
)
RETURNS TABLE (status text, "position" bigint, link bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- Planning each statement anew for its arrays would cost more than running it.
SET plan_cache_mode = force_generic_plan AS $$
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

-- The part of `append` that goes request by request: some may be refused, or some heads are not as believed. The
-- heads are locked, and as in `v_…` there; the rest is what that function was given.
CREATE FUNCTION counterfoil_log.append_each(
    p_companies bigint[],
    p_ends integer[],
    p_positions bigint[],
    p_hashes bytea,
    p_head_epochs bigint[],
    p_believed_positions bigint[],
    p_believed_hashes bytea,
    p_links bytea,
    p_sizes integer[],
    p_guards bigint[],
    p_guard_sizes integer[],
    p_guard_keys text[],
    p_sources text[],
    p_delivery_ids text[],
    p_since bigint[],
    p_epochs bigint[],
    p_recorded_from timestamptz,
    p_recorded_after bigint[],
    p_event_types text[],
    p_event_versions smallint[],
    p_event_ids uuid[],
    p_event_kinds smallint[],
    p_record_keys text[],
    p_causes bigint[],
    p_traces text[],
    p_deliveries text[],
    p_body_ends integer[],
    p_bodies bytea,
    p_digests bytea
)
RETURNS TABLE (status text, "position" bigint, link bytea)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
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
REVOKE ALL ON FUNCTION counterfoil_log.append_each FROM PUBLIC;

-- The lease of one company, for a holder that is new to it: raises the epoch, so that whoever held it before can
-- decide nothing more. Answers NULL while somebody else's lease is running. A holder's own name takes it back at
-- once (a process that restarted), under a new epoch all the same.
CREATE FUNCTION counterfoil_log.acquire_lease(p_company bigint, p_holder text, p_seconds double precision)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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

-- Prolongs a lease that nobody has taken over, run out or not. Answers whether it is still the holder's.
CREATE FUNCTION counterfoil_log.renew_lease(
    p_company bigint, p_holder text, p_epoch bigint, p_seconds double precision
)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE counterfoil_log.leases AS lease
    SET expires_at = clock_timestamp() + make_interval(secs => p_seconds)
    WHERE lease.company = p_company AND lease.holder = p_holder AND lease.epoch = p_epoch
        AND EXISTS (
            SELECT FROM counterfoil_log.heads AS head WHERE head.company = p_company AND head.epoch = p_epoch);
    RETURN FOUND;
END
$$;

-- Gives a lease back, so that the next holder need not wait. Answers whether it was still the holder's.
CREATE FUNCTION counterfoil_log.release_lease(p_company bigint, p_holder text, p_epoch bigint)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM counterfoil_log.leases AS lease
    WHERE lease.company = p_company AND lease.holder = p_holder AND lease.epoch = p_epoch;
    RETURN FOUND;
END
$$;

DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOREACH v_function IN ARRAY ARRAY[
        'counterfoil_log.open_companies(bigint[])',
        'counterfoil_log.append(bigint[],integer[],bigint[],bytea,bytea,integer[],bigint[],integer[],text[],text[],text[],'
        'bigint[],bigint[],timestamptz,bigint[],text[],smallint[],uuid[],smallint[],text[],bigint[],text[],text[],'
        'integer[],bytea,bytea)',
        'counterfoil_log.acquire_lease(bigint,text,double precision)',
        'counterfoil_log.renew_lease(bigint,text,bigint,double precision)',
        'counterfoil_log.release_lease(bigint,text,bigint)'
    ]::regprocedure[] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_function);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO counterfoil_engine', v_function);
    END LOOP;
END
$$;
