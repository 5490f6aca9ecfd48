"""Everything that Postgres knows about our schemas, as lines that can be compared."""

from counterfoil.postgres import Connection

_OURS = "('counterfoil_log', 'counterfoil_state')"

# One query per kind of thing; each gives lines of text.
_QUERIES = {
    "schemas": f"""
        SELECT format('%s owner %s', nspname, nspowner::regrole) FROM pg_namespace WHERE nspname IN {_OURS}""",
    "relations": f"""
        SELECT format('%s kind %s owner %s persistence %s options %s bound %s key %s comment %s', c.oid::regclass,
                      c.relkind, c.relowner::regrole, c.relpersistence, c.reloptions,
                      pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(c.oid), obj_description(c.oid, 'pg_class'))
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN {_OURS}""",
    "columns": f"""
        SELECT format('%s.%s type %s not null %s default %s identity %s generated %s collation %s storage %s note %s',
                      c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                      pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, a.attcollation::regcollation,
                      a.attstorage, col_description(c.oid, a.attnum))
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE n.nspname IN {_OURS} AND a.attnum > 0 AND NOT a.attisdropped""",
    "column order": f"""
        SELECT format('%s: %s', c.oid::regclass, string_agg(a.attname, ', ' ORDER BY a.attnum))
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN {_OURS} AND a.attnum > 0 AND NOT a.attisdropped GROUP BY c.oid""",
    "constraints": f"""
        SELECT format('%s %s: %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
        FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE n.nspname IN {_OURS}""",
    "indexes": f"""
        SELECT format('%s valid %s', pg_get_indexdef(i.indexrelid), i.indisvalid)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN {_OURS}""",
    "functions": f"""
        SELECT format('%s owner %s comment %s', pg_get_functiondef(p.oid), p.proowner::regrole,
                      obj_description(p.oid, 'pg_proc'))
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN {_OURS}""",
    "triggers": f"""
        SELECT format('%s enabled %s', pg_get_triggerdef(t.oid), t.tgenabled)
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN {_OURS} AND NOT t.tgisinternal""",
    "types": f"""
        SELECT format('%s kind %s owner %s labels %s', t.oid::regtype, t.typtype, t.typowner::regrole,
                      (SELECT string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
                       FROM pg_enum e WHERE e.enumtypid = t.oid))
        FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname IN {_OURS} AND t.typtype <> 'b'""",
    "policies": f"""
        SELECT format('%s.%s %s: %s', schemaname, tablename, policyname, qual)
        FROM pg_policies WHERE schemaname IN {_OURS}""",
    "grants on schemas": f"""
        SELECT format('%s: %s to %s', n.nspname, a.privilege_type, a.grantee::regrole)
        FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
        WHERE n.nspname IN {_OURS}""",
    "grants on relations": f"""
        SELECT format('%s: %s to %s', c.oid::regclass, a.privilege_type, a.grantee::regrole)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
             aclexplode(coalesce(
                 c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) a
        WHERE n.nspname IN {_OURS}""",
    "grants on functions": f"""
        SELECT format('%s: %s to %s', p.oid::regprocedure, a.privilege_type, a.grantee::regrole)
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace,
             aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE n.nspname IN {_OURS}""",
}


async def catalogue(connection: Connection) -> dict[str, list[str]]:
    """Lines by kind, in order."""
    found: dict[str, list[str]] = {}
    for kind, query in _QUERIES.items():
        rows = await connection.fetch(f"SELECT line FROM ({query}) AS lines (line) ORDER BY line")
        found[kind] = [row["line"] for row in rows]
    return found
