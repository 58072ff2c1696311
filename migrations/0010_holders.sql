-- Personal natural keys, such as a CPF: what may have to be forgotten, and must be unique until then. A row is a keyed
-- digest and can be deleted; the log holds nothing that it could be made of again. Written by the shard's writer only,
-- in the transaction of the event that claims or gives up the key.
CREATE TABLE personal_key (
    shard    smallint NOT NULL,
    -- Of the key that made the digest. While one replaces another, each holder has a row of both.
    version  smallint NOT NULL CHECK (version >= 1),
    -- The event that claimed it.
    position bigint   NOT NULL,
    tenant   uuid     NOT NULL,
    owner    uuid     NOT NULL,
    kind     text     NOT NULL,
    digest   bytea    NOT NULL CHECK (octet_length(digest) = 32),
    PRIMARY KEY (shard, tenant, kind, version, digest)
);
-- Whoever is erased gives up all of theirs.
CREATE INDEX personal_key_by_owner ON personal_key (shard, owner);

ALTER TABLE personal_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE personal_key FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_reads ON personal_key FOR SELECT TO vintem_reader USING (tenant = current_tenant());
CREATE POLICY writer ON personal_key TO vintem_writer USING (true) WITH CHECK (true);
CREATE POLICY auditor_reads ON personal_key FOR SELECT TO vintem_auditor USING (true);
CREATE POLICY owner ON personal_key TO vintem_owner USING (true) WITH CHECK (true);

GRANT SELECT ON personal_key TO vintem_reader, vintem_auditor;
GRANT SELECT, INSERT, DELETE ON personal_key TO vintem_writer;
