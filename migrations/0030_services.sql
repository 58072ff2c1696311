-- Who is paid at terminals, and for what: which providers and services a tenant has, in the order of their coming. Their streams say
-- all about them; these rows are what lists are read by.
CREATE TABLE provider (
    shard    smallint NOT NULL,
    tenant   uuid     NOT NULL,
    position bigint   NOT NULL,
    provider uuid     NOT NULL,
    PRIMARY KEY (shard, tenant, position)
);

CREATE TABLE service (
    shard    smallint NOT NULL,
    tenant   uuid     NOT NULL,
    position bigint   NOT NULL,
    service  uuid     NOT NULL,
    provider uuid     NOT NULL,
    PRIMARY KEY (shard, tenant, position)
);
CREATE INDEX service_by_provider ON service (shard, tenant, provider, position);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['provider', 'service'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant_reads ON %I FOR SELECT TO vintem_reader USING (tenant = current_tenant())', t);
        EXECUTE format('CREATE POLICY writer ON %I TO vintem_writer USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY auditor_reads ON %I FOR SELECT TO vintem_auditor USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO vintem_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END $$;

GRANT SELECT ON provider, service TO vintem_reader, vintem_auditor;
GRANT SELECT, INSERT ON provider, service TO vintem_writer;

-- Whoever has scanned a code knows a charge and not the tenant: one charge in, one tenant out.
CREATE FUNCTION charge_tenant(wanted uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
    SELECT c.tenant FROM public.shard s JOIN public.charge c ON c.shard = s.shard AND c.id = wanted WHERE c.short_code IS NOT NULL LIMIT 1;
END;
REVOKE EXECUTE ON FUNCTION charge_tenant FROM PUBLIC;
GRANT EXECUTE ON FUNCTION charge_tenant TO vintem_reader;
