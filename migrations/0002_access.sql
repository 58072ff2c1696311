-- Who may come in: tenants and their service clients.

-- shard names a row of shard, without a foreign key: its check would take a share lock on the row
-- that is the shard's mutex, and the fact of the tenant is appended under that mutex while this row
-- is not committed yet. Shards are never deleted.
CREATE TABLE tenant (
    shard      smallint    NOT NULL,
    tenant     uuid        PRIMARY KEY,
    name       text        NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    time_zone  text        NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE client (
    tenant      uuid        NOT NULL REFERENCES tenant,
    client      uuid        NOT NULL,
    name        text        NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    -- SHA-256 of 256 random bits; the secret itself is shown once and kept nowhere.
    secret_hash bytea       NOT NULL CHECK (octet_length(secret_hash) = 32),
    scopes      text[]      NOT NULL,
    created_at  timestamptz NOT NULL,
    revoked_at  timestamptz,
    PRIMARY KEY (tenant, client),
    UNIQUE (tenant, name)
);
-- A login names the client before anybody knows the tenant.
CREATE UNIQUE INDEX client_by_id ON client (client);

-- The only way from a client's id to its tenant. The API may ask for one client whose id it was
-- given; with a policy that opens the table to it instead, one forgotten predicate would list the
-- clients of every tenant. Runs as the owner, hence the qualified names bound at definition.
CREATE FUNCTION client_for_login(wanted uuid)
    RETURNS TABLE (tenant uuid, secret_hash bytea, scopes text[], revoked boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
    SELECT c.tenant, c.secret_hash, c.scopes, c.revoked_at IS NOT NULL
    FROM public.client c
    WHERE c.client = wanted;
END;
REVOKE EXECUTE ON FUNCTION client_for_login FROM PUBLIC;
GRANT EXECUTE ON FUNCTION client_for_login TO vintem_reader;

ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
ALTER TABLE client ENABLE ROW LEVEL SECURITY;
ALTER TABLE client FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant_reads ON tenant FOR SELECT TO vintem_reader USING (tenant = current_tenant());
CREATE POLICY operator ON tenant TO vintem_operator USING (true) WITH CHECK (true);
CREATE POLICY auditor_reads ON tenant FOR SELECT TO vintem_auditor USING (true);
CREATE POLICY owner ON tenant TO vintem_owner USING (true) WITH CHECK (true);

CREATE POLICY operator ON client TO vintem_operator USING (true) WITH CHECK (true);
CREATE POLICY auditor_reads ON client FOR SELECT TO vintem_auditor USING (true);
CREATE POLICY owner ON client TO vintem_owner USING (true) WITH CHECK (true);

-- A tenant's shard, name and zone never change: every position and window of it was written with them.
GRANT SELECT ON tenant TO vintem_reader, vintem_operator, vintem_auditor;
GRANT INSERT ON tenant TO vintem_operator;
-- Nobody reads the digests but the function above.
GRANT SELECT (tenant, client, name, scopes, created_at, revoked_at) ON client TO vintem_operator, vintem_auditor;
GRANT INSERT, UPDATE (revoked_at) ON client TO vintem_operator;
