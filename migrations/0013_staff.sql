-- Staff: what members of a tenant prove themselves with, and their sessions. Who is a member, with which roles, is in the
-- log; nothing here decides that. Everything here can be deleted.

-- Which members there are: what the log cannot list. Their ids follow from their logins.
CREATE TABLE staff_member (
    shard  smallint NOT NULL,
    tenant uuid     NOT NULL,
    member uuid     NOT NULL,
    login  text     NOT NULL CHECK (length(login) BETWEEN 2 AND 63),
    PRIMARY KEY (shard, tenant, member)
);

-- Tickets that make somebody a member. While one is being accepted, what they will prove themselves with stands here.
CREATE TABLE staff_invitation (
    shard         smallint    NOT NULL,
    tenant        uuid        NOT NULL,
    invitation    uuid        NOT NULL,
    member        uuid        NOT NULL,
    -- SHA-256 of 256 random bits.
    ticket        bytea       NOT NULL CHECK (octet_length(ticket) = 32),
    expires_at    timestamptz NOT NULL,
    password_hash text        CHECK (password_hash LIKE '$argon2id$%'),
    device        text,
    PRIMARY KEY (shard, tenant, invitation)
);
CREATE INDEX staff_invitation_by_ticket ON staff_invitation (shard, tenant, ticket);

-- One per member. It counts only while the log names the same invitation.
CREATE TABLE staff_credential (
    shard         smallint NOT NULL,
    tenant        uuid     NOT NULL,
    member        uuid     NOT NULL,
    enrolled_by   uuid     NOT NULL,
    password_hash text     NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
    -- The device's secret, sealed under the member's own key.
    device        text     NOT NULL,
    -- The step of the last code that was used; only later ones count.
    last_step     bigint   NOT NULL,
    PRIMARY KEY (shard, tenant, member)
);

-- SHA-256 of 80 random bits and the member. A used one is deleted.
CREATE TABLE staff_recovery_code (
    shard  smallint NOT NULL,
    tenant uuid     NOT NULL,
    member uuid     NOT NULL,
    digest bytea    NOT NULL CHECK (octet_length(digest) = 32),
    PRIMARY KEY (shard, tenant, member, digest)
);

CREATE TABLE staff_session (
    shard          smallint    NOT NULL,
    -- Of the member's stream, when it was opened: later events can end it.
    member_version integer     NOT NULL CHECK (member_version >= 1),
    tenant         uuid        NOT NULL,
    session        uuid        NOT NULL,
    member         uuid        NOT NULL,
    created_at     timestamptz NOT NULL,
    used_at        timestamptz NOT NULL,
    fresh_until    timestamptz,
    ended_at       timestamptz,
    -- SHA-256 of 256 random bits.
    ticket         bytea       NOT NULL CHECK (octet_length(ticket) = 32),
    -- A keyed digest of where it was opened from.
    place          bytea       NOT NULL CHECK (octet_length(place) = 32),
    PRIMARY KEY (shard, tenant, session)
);
CREATE INDEX staff_session_by_ticket ON staff_session (shard, tenant, ticket);
CREATE INDEX staff_session_by_member ON staff_session (shard, tenant, member, created_at);

-- Failures in a row, by keyed digests of addresses and logins: of nobody in particular, and so without a tenant.
CREATE TABLE staff_attempt (
    counted       bytea       PRIMARY KEY CHECK (octet_length(counted) = 32),
    failures      integer     NOT NULL CHECK (failures >= 0),
    tried_at      timestamptz NOT NULL,
    blocked_until timestamptz NOT NULL
);
CREATE INDEX staff_attempt_by_age ON staff_attempt (tried_at);

-- Whoever signs in names the tenant by its name, before anybody knows them.
CREATE FUNCTION tenant_at_sign_in(wanted text) RETURNS TABLE (tenant uuid, shard smallint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
    SELECT t.tenant, t.shard FROM public.tenant t WHERE t.name = wanted;
END;
REVOKE EXECUTE ON FUNCTION tenant_at_sign_in FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_at_sign_in TO vintem_editor;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['staff_member', 'staff_invitation', 'staff_credential', 'staff_recovery_code', 'staff_session'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant_edits ON %I TO vintem_editor USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant())', t);
        EXECUTE format('CREATE POLICY owner ON %I TO vintem_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END $$;

-- The operator invites the first administrator, and whoever has lost everything.
CREATE POLICY operator ON staff_member TO vintem_operator USING (true) WITH CHECK (true);
CREATE POLICY operator ON staff_invitation TO vintem_operator USING (true) WITH CHECK (true);
CREATE POLICY auditor_reads ON staff_member FOR SELECT TO vintem_auditor USING (true);
CREATE POLICY auditor_reads ON staff_session FOR SELECT TO vintem_auditor USING (true);

-- Nobody but the editor ever reads a hash or a digest.
GRANT SELECT ON staff_member TO vintem_editor, vintem_operator, vintem_auditor;
GRANT INSERT ON staff_member TO vintem_editor, vintem_operator;
GRANT SELECT, INSERT, UPDATE (password_hash, device), DELETE ON staff_invitation TO vintem_editor;
GRANT INSERT ON staff_invitation TO vintem_operator;
GRANT SELECT, INSERT, UPDATE (enrolled_by, password_hash, device, last_step) ON staff_credential TO vintem_editor;
GRANT SELECT, INSERT, DELETE ON staff_recovery_code TO vintem_editor;
GRANT SELECT, INSERT, UPDATE (used_at, fresh_until, ended_at, member_version), DELETE ON staff_session TO vintem_editor;
GRANT SELECT (shard, member_version, tenant, session, member, created_at, used_at, fresh_until, ended_at) ON staff_session TO vintem_auditor;
GRANT SELECT, INSERT, UPDATE, DELETE ON staff_attempt TO vintem_editor;
