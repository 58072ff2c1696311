-- A tenant's life and what it may do: kept by the operator, heard by every process within seconds.

ALTER TABLE tenant
    -- While it is provisioned, its fact may not be in the log yet and nothing may refer to it. A suspended one may look and not write.
    ADD COLUMN status text NOT NULL DEFAULT 'active' CHECK (status IN ('provisioning', 'active', 'suspended')),
    -- Under which law its money is. Null: nobody has said.
    ADD COLUMN legal_mode text CHECK (legal_mode IN ('authorised', 'limited-purpose', 'sandbox')),
    -- The assets that it may register. Null: any.
    ADD COLUMN assets text[];

-- Names under which a tenant is called. There, and nowhere else, a name decides: every other token is a stranger's.
CREATE TABLE tenant_hostname (
    tenant   uuid NOT NULL REFERENCES tenant,
    hostname text PRIMARY KEY CHECK (hostname ~ '^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$' AND length(hostname) <= 253)
);
CREATE INDEX tenant_hostname_by_tenant ON tenant_hostname (tenant);

ALTER TABLE tenant_hostname ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_hostname FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_reads ON tenant_hostname FOR SELECT TO vintem_reader USING (tenant = current_tenant());
CREATE POLICY operator ON tenant_hostname TO vintem_operator USING (true) WITH CHECK (true);
CREATE POLICY auditor_reads ON tenant_hostname FOR SELECT TO vintem_auditor USING (true);
CREATE POLICY owner ON tenant_hostname TO vintem_owner USING (true) WITH CHECK (true);

GRANT SELECT ON tenant_hostname TO vintem_reader, vintem_auditor;
GRANT SELECT, INSERT, DELETE ON tenant_hostname TO vintem_operator;
GRANT UPDATE (status, legal_mode, assets) ON tenant TO vintem_operator;

-- Of all tenants, and nothing but ids and names: who may not write now, and which names are whose. A process asks for both every
-- other second, because it decides in memory.
CREATE FUNCTION tenants_suspended() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
    SELECT t.tenant FROM public.tenant t WHERE t.status <> 'active';
END;
REVOKE EXECUTE ON FUNCTION tenants_suspended FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenants_suspended TO vintem_reader;

CREATE FUNCTION tenant_hostnames() RETURNS TABLE (hostname text, tenant uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
    SELECT h.hostname, h.tenant FROM public.tenant_hostname h;
END;
REVOKE EXECUTE ON FUNCTION tenant_hostnames FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_hostnames TO vintem_reader;
