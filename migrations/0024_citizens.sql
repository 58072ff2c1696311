-- Citizens: what they prove themselves with, and their sessions. Who is a citizen, on which devices, is in the log; nothing here
-- decides that. Everything here can be deleted.

-- The asset of the accounts that are opened for a tenant's citizens; without one it has none.
ALTER TABLE tenant ADD COLUMN citizen_asset text CHECK (citizen_asset ~ '^[A-Z][A-Z0-9._-]{0,30}$');
GRANT UPDATE (citizen_asset) ON tenant TO vintem_operator;

-- A code that was sent to somebody, until it is used or its time is over. There are such of nobody, so that nobody is told apart.
CREATE TABLE citizen_challenge (
    shard      smallint    NOT NULL,
    tries      smallint    NOT NULL DEFAULT 0 CHECK (tries >= 0),
    tenant     uuid        NOT NULL,
    challenge  uuid        NOT NULL,
    -- Who is asked; with a registration, who they will be.
    holder     uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    purpose    text        NOT NULL CHECK (purpose IN ('registration', 'device', 'recovery')),
    -- A keyed digest of six digits.
    code       bytea       NOT NULL CHECK (octet_length(code) = 32),
    -- The key of the device that asked; another one's answer is none.
    device_key bytea       NOT NULL CHECK (octet_length(device_key) = 32),
    -- With a registration: who they say they are, sealed under the key that will be theirs.
    details    text,
    PRIMARY KEY (shard, tenant, challenge)
);
CREATE INDEX citizen_challenge_by_end ON citizen_challenge (shard, tenant, expires_at);

-- One per citizen. It counts only while the log names the same enrolment.
CREATE TABLE citizen_credential (
    shard         smallint NOT NULL,
    -- Wrong PINs in a row; at five the log has it, and nothing but another PIN opens it.
    pin_failures  smallint NOT NULL DEFAULT 0 CHECK (pin_failures >= 0),
    tenant        uuid     NOT NULL,
    holder        uuid     NOT NULL,
    enrolled_by   uuid     NOT NULL,
    password_hash text     NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
    pin_hash      text     NOT NULL CHECK (pin_hash LIKE '$argon2id$%'),
    PRIMARY KEY (shard, tenant, holder)
);

-- A session's refresh tokens follow from its id, their number and a key that is in Vault, so that none is kept.
CREATE TABLE citizen_session (
    shard      smallint    NOT NULL,
    -- The number of the refresh token that is good now.
    generation integer     NOT NULL CHECK (generation >= 1),
    tenant     uuid        NOT NULL,
    session    uuid        NOT NULL,
    holder     uuid        NOT NULL,
    device     uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    -- When that number became the one.
    rotated_at timestamptz NOT NULL,
    ended_at   timestamptz,
    device_key bytea       NOT NULL CHECK (octet_length(device_key) = 32),
    PRIMARY KEY (shard, tenant, session)
);
CREATE INDEX citizen_session_by_holder ON citizen_session (shard, tenant, holder, created_at);
CREATE INDEX citizen_session_by_end ON citizen_session (ended_at) WHERE ended_at IS NOT NULL;

-- Tokens are verified in memory: which sessions ended as lately as any of their tokens lives, of all tenants.
CREATE FUNCTION citizen_sessions_ended_lately() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
    SELECT s.session FROM public.citizen_session s WHERE s.ended_at > clock_timestamp() - interval '11 minutes';
END;
REVOKE EXECUTE ON FUNCTION citizen_sessions_ended_lately FROM PUBLIC;
GRANT EXECUTE ON FUNCTION citizen_sessions_ended_lately TO vintem_reader;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['citizen_challenge', 'citizen_credential', 'citizen_session'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant_edits ON %I TO vintem_editor USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant())', t);
        EXECUTE format('CREATE POLICY owner ON %I TO vintem_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END $$;
CREATE POLICY auditor_reads ON citizen_session FOR SELECT TO vintem_auditor USING (true);

-- Nobody but the editor ever reads a hash or a digest.
GRANT SELECT, INSERT, UPDATE (tries), DELETE ON citizen_challenge TO vintem_editor;
GRANT SELECT, INSERT, UPDATE (enrolled_by, password_hash, pin_hash, pin_failures), DELETE ON citizen_credential TO vintem_editor;
GRANT SELECT, INSERT, UPDATE (generation, rotated_at, ended_at), DELETE ON citizen_session TO vintem_editor;
GRANT SELECT (shard, generation, tenant, session, holder, device, created_at, rotated_at, ended_at) ON citizen_session TO vintem_auditor;
