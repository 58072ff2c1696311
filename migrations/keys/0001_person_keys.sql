-- The keys of people: a database of its own, because its backups are kept for seven days and the ledger's for years. A
-- row is a data key that Vault has wrapped; without Vault it opens nothing, and without the row nothing opens.

-- As in the ledger: the tenant of the transaction, and nobody without one.
CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.tenant', true), '')::uuid;

CREATE TABLE person_key (
    -- Of the key that wrapped it; rewrapping looks for the old ones.
    version    integer     NOT NULL CHECK (version >= 1),
    tenant     uuid        NOT NULL,
    person     uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    wrapped    text        NOT NULL CHECK (wrapped LIKE 'vault:v%'),
    PRIMARY KEY (tenant, person)
);
CREATE INDEX person_key_by_version ON person_key (version, tenant, person);

ALTER TABLE person_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE person_key FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_keeps ON person_key TO vintem_keeper USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant());
CREATE POLICY rewrapper ON person_key TO vintem_rewrapper USING (true) WITH CHECK (true);
CREATE POLICY owner ON person_key TO vintem_key_owner USING (true) WITH CHECK (true);

-- The keeper makes and destroys; who rewraps changes the wrapping and nothing else.
GRANT SELECT, INSERT, DELETE ON person_key TO vintem_keeper;
GRANT SELECT, UPDATE (version, wrapped) ON person_key TO vintem_rewrapper;
