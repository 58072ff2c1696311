-- Receipts that were given out: the code under which anybody may ask whether one is true, and the signed text, the same for ever.
CREATE TABLE receipt (
    shard       smallint    NOT NULL,
    tenant      uuid        NOT NULL,
    transaction uuid        NOT NULL,
    -- Eighty random bits, in an alphabet that is read aloud without doubt.
    code        text        NOT NULL CHECK (code ~ '^[0-9A-HJKMNP-TV-Z]{16}$'),
    -- A compact JWS: ids, amounts and times, and nothing of a person.
    signed      text        NOT NULL,
    issued_at   timestamptz NOT NULL,
    PRIMARY KEY (shard, tenant, transaction)
);
-- Not unique, because it spans tenants; two codes that are equal would take 2^40 receipts.
CREATE INDEX receipt_by_code ON receipt (code);

ALTER TABLE receipt ENABLE ROW LEVEL SECURITY;
ALTER TABLE receipt FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_edits ON receipt TO vintem_editor USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant());
CREATE POLICY auditor_reads ON receipt FOR SELECT TO vintem_auditor USING (true);
CREATE POLICY owner ON receipt TO vintem_owner USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON receipt TO vintem_editor;
GRANT SELECT ON receipt TO vintem_auditor;

-- Whoever checks a receipt knows its code and not the tenant: one code in, one transaction out.
CREATE FUNCTION receipt_of_code(wanted text) RETURNS TABLE (tenant uuid, transaction uuid, issued_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
    SELECT r.tenant, r.transaction, r.issued_at FROM public.receipt r WHERE r.code = wanted;
END;
REVOKE EXECUTE ON FUNCTION receipt_of_code FROM PUBLIC;
GRANT EXECUTE ON FUNCTION receipt_of_code TO vintem_editor;
