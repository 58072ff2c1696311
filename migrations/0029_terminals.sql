-- Terminals: which there are and what of them counts now, as the log says; and what is beside the log, all of which can be deleted.

-- Looked at on every request of a terminal, and so a row and not a fold: a fold of the log, written in its commits.
CREATE TABLE terminal (
    shard       smallint NOT NULL,
    -- The version of the stream that brought the configuration.
    config      integer  NOT NULL,
    tenant      uuid     NOT NULL,
    terminal    uuid     NOT NULL,
    service     uuid     NOT NULL,
    unit        uuid,
    -- The activation code that counts.
    code        uuid,
    status      text     NOT NULL CHECK (status IN ('provisioned', 'code_issued', 'active', 'suspended', 'lost', 'revoked', 'retired')),
    serial      text     NOT NULL,
    model       text     NOT NULL,
    -- The fingerprint of the certificate that is good now, and of the one before, which may only ask for this one again.
    certificate text,
    previous    text,
    -- What the device was told and has not done yet: `<order> <command>`, the oldest first.
    orders      text[]   NOT NULL DEFAULT '{}',
    PRIMARY KEY (shard, tenant, terminal)
);
CREATE INDEX terminal_by_unit ON terminal (shard, tenant, unit, terminal);

-- Codes that bring devices in.
CREATE TABLE terminal_code (
    shard      smallint    NOT NULL,
    tries      smallint    NOT NULL DEFAULT 0 CHECK (tries >= 0),
    tenant     uuid        NOT NULL,
    code       uuid        NOT NULL,
    terminal   uuid        NOT NULL,
    expires_at timestamptz NOT NULL,
    -- A keyed digest of ten letters and the terminal.
    digest     bytea       NOT NULL CHECK (octet_length(digest) = 32),
    -- Whose it became: the public key that it was used with.
    used_by    text,
    PRIMARY KEY (shard, tenant, code)
);
CREATE INDEX terminal_code_by_end ON terminal_code (shard, tenant, expires_at);

-- The certificate that was signed last for each, and the key that it was asked for with: a lost answer is given again. It is public.
CREATE TABLE terminal_certificate (
    shard    smallint    NOT NULL,
    tenant   uuid        NOT NULL,
    terminal uuid        NOT NULL,
    key      text        NOT NULL,
    ends_at  timestamptz NOT NULL,
    chain    text        NOT NULL,
    PRIMARY KEY (shard, tenant, terminal)
);

-- What a terminal said of itself last.
CREATE TABLE terminal_heartbeat (
    shard          smallint    NOT NULL,
    tampered       boolean     NOT NULL,
    offline_count  integer     NOT NULL,
    tenant         uuid        NOT NULL,
    terminal       uuid        NOT NULL,
    last_seq       bigint      NOT NULL,
    -- Its clock less ours.
    skew_ms        bigint      NOT NULL,
    received_at    timestamptz NOT NULL,
    software       text        NOT NULL,
    offline_amount text,
    PRIMARY KEY (shard, tenant, terminal)
);

-- Messages of terminals by their numbers: one that comes again is known, another one of the same number is refused.
CREATE TABLE terminal_message (
    shard       smallint    NOT NULL,
    tenant      uuid        NOT NULL,
    terminal    uuid        NOT NULL,
    seq         bigint      NOT NULL CHECK (seq > 0),
    received_at timestamptz NOT NULL,
    digest      bytea       NOT NULL CHECK (octet_length(digest) = 32),
    PRIMARY KEY (shard, tenant, terminal, seq)
);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['terminal', 'terminal_code', 'terminal_certificate', 'terminal_heartbeat', 'terminal_message'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY owner ON %I TO vintem_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['terminal_code', 'terminal_certificate', 'terminal_heartbeat', 'terminal_message'] LOOP
        EXECUTE format('CREATE POLICY tenant_edits ON %I TO vintem_editor USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant())', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['terminal', 'terminal_heartbeat', 'terminal_message'] LOOP
        EXECUTE format('CREATE POLICY tenant_reads ON %I FOR SELECT TO vintem_reader USING (tenant = current_tenant())', t);
        EXECUTE format('CREATE POLICY auditor_reads ON %I FOR SELECT TO vintem_auditor USING (true)', t);
    END LOOP;
END $$;
CREATE POLICY writer ON terminal TO vintem_writer USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON terminal TO vintem_writer;
GRANT SELECT ON terminal, terminal_heartbeat, terminal_message TO vintem_reader, vintem_auditor;
-- Nobody but the editor ever reads a digest of a code.
GRANT SELECT, INSERT, UPDATE (tries, used_by), DELETE ON terminal_code TO vintem_editor;
GRANT SELECT, INSERT, UPDATE (key, ends_at, chain) ON terminal_certificate TO vintem_editor;
GRANT SELECT, INSERT, UPDATE (tampered, offline_count, last_seq, skew_ms, received_at, software, offline_amount) ON terminal_heartbeat TO vintem_editor;
GRANT SELECT, INSERT ON terminal_message TO vintem_editor;
