-- The write side: everything the shard writer appends, and the look-ups it keeps beside.
-- Every key leads with shard, so that the schema can be distributed by it.

CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE
    -- After a commit the transaction-local setting reads '' and not NULL: unset must mean no rows, never an error.
    RETURN nullif(current_setting('app.tenant', true), '')::uuid;

-- A mutex, never updated: an updated head row collapses under any long snapshot.
CREATE TABLE shard (
    shard smallint PRIMARY KEY CHECK (shard >= 0)
);

-- One row per commit of the writer; tip chains everything that was ever written.
CREATE TABLE batch (
    shard          smallint    NOT NULL REFERENCES shard,
    seq            bigint      NOT NULL,
    epoch          integer     NOT NULL,
    first_position bigint      NOT NULL,
    last_position  bigint      NOT NULL,
    tip            bytea       NOT NULL CHECK (octet_length(tip) = 32),
    recorded_at    timestamptz NOT NULL,
    flags          smallint    NOT NULL DEFAULT 0,
    PRIMARY KEY (shard, seq)
);
-- Finds the batch of a position: the first one that reaches it.
CREATE INDEX batch_by_position ON batch (shard, last_position, seq);
-- Finds the newest position at an instant.
CREATE INDEX batch_by_time ON batch (shard, recorded_at, seq);

-- The truth and the outbox. payload is json and not jsonb because its bytes are hashed.
CREATE TABLE event (
    shard        smallint NOT NULL,
    schema       smallint NOT NULL,
    version      integer  NOT NULL CHECK (version >= 1),
    position     bigint   NOT NULL CHECK (position >= 1),
    tenant       uuid     NOT NULL,
    stream       uuid     NOT NULL,
    effective_at timestamptz,
    causation    bigint,
    kind         text     NOT NULL,
    actor        text     NOT NULL,
    correlation  text,
    payload      json     NOT NULL,
    PRIMARY KEY (shard, position)
);
-- The backstop of optimistic concurrency; the writer's own check under the lock decides.
CREATE UNIQUE INDEX event_by_stream ON event (shard, stream, version);

-- One row per account touched, with the balances after it. The newest row is the balance.
-- version is a bigint: one hot account passes 2^31 entries within days.
CREATE TABLE entry (
    shard        smallint NOT NULL,
    kind         smallint NOT NULL,
    account      bigint   NOT NULL,
    version      bigint   NOT NULL CHECK (version >= 1),
    position     bigint   NOT NULL,
    amount       bigint   NOT NULL,
    posted       bigint   NOT NULL,
    held         bigint   NOT NULL,
    incoming     bigint   NOT NULL,
    tenant       uuid     NOT NULL,
    effective_at timestamptz,
    PRIMARY KEY (shard, account, version),
    CHECK (held >= 0 AND incoming >= 0)
);
-- Balances at an effective instant need only the rows whose two times differ.
CREATE INDEX entry_effective ON entry (shard, account, effective_at) INCLUDE (position, amount)
    WHERE effective_at IS NOT NULL;

-- Windowed limits; the newest version of a key holds what is used.
CREATE TABLE counter (
    shard    smallint NOT NULL,
    account  bigint   NOT NULL,
    version  bigint   NOT NULL CHECK (version >= 1),
    position bigint   NOT NULL,
    used     bigint   NOT NULL CHECK (used >= 0),
    tenant   uuid     NOT NULL,
    key      text     NOT NULL,
    PRIMARY KEY (shard, account, key, version)
);

-- Every key that was ever answered stays for ever.
CREATE TABLE request (
    shard       smallint NOT NULL,
    status      smallint NOT NULL,
    seq         bigint   NOT NULL,
    position    bigint,
    tenant      uuid     NOT NULL,
    principal   uuid     NOT NULL,
    key         text     NOT NULL,
    code        text,
    fingerprint bytea    NOT NULL CHECK (octet_length(fingerprint) = 32),
    PRIMARY KEY (shard, tenant, principal, key)
);
CREATE INDEX request_by_seq ON request (shard, seq);

-- The answers' bytes, apart because they may be deleted after their time.
CREATE TABLE request_body (
    shard     smallint NOT NULL,
    seq       bigint   NOT NULL,
    tenant    uuid     NOT NULL,
    principal uuid     NOT NULL,
    key       text     NOT NULL,
    -- What body holds: the answer itself, or only the outline from which a large answer is rendered again.
    outline   boolean  NOT NULL,
    body      bytea    NOT NULL,
    PRIMARY KEY (shard, tenant, principal, key)
);

-- Bodies are deleted by age, and seq grows with it: a few pages of summary instead of an entry per request.
CREATE INDEX request_body_by_seq ON request_body USING brin (seq) WITH (pages_per_range = 32, autosummarize = on);

-- A shard that stands here answers no writes until `vintem recover` lifts it.
CREATE TABLE halt (
    shard  smallint    PRIMARY KEY REFERENCES shard,
    reason text        NOT NULL,
    since  timestamptz NOT NULL
);

-- Look-ups: folds of the log, written in the append transaction, rebuilt and compared by `vintem verify`.

CREATE TABLE asset (
    shard       smallint NOT NULL,
    scale       smallint NOT NULL CHECK (scale BETWEEN 0 AND 8),
    tenant      uuid     NOT NULL,
    code        text     NOT NULL,
    description text,
    position    bigint   NOT NULL,
    PRIMARY KEY (shard, tenant, code)
);

CREATE TABLE account (
    shard            smallint NOT NULL,
    scale            smallint NOT NULL,
    settings_version integer  NOT NULL,
    account          bigint   NOT NULL,
    id               uuid     NOT NULL,
    tenant           uuid     NOT NULL,
    min_balance      bigint,
    max_balance      bigint,
    sends            boolean  NOT NULL,
    receives         boolean  NOT NULL,
    normal_side      text     NOT NULL CHECK (normal_side IN ('debit', 'credit')),
    status           text     NOT NULL CHECK (status IN ('open', 'frozen', 'closed')),
    asset            text     NOT NULL,
    name             text,
    metadata         json,
    PRIMARY KEY (shard, account)
);
CREATE UNIQUE INDEX account_by_id ON account (shard, id);
CREATE INDEX account_by_tenant ON account (shard, tenant, account);
CREATE UNIQUE INDEX account_by_name ON account (shard, tenant, name, asset) WHERE name IS NOT NULL;

-- Holds that still hold something, one row per account whose money they hold or announce.
CREATE TABLE open_hold (
    shard      smallint    NOT NULL,
    hold       uuid        NOT NULL,
    account    bigint      NOT NULL,
    tenant     uuid        NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (shard, hold, account)
);
CREATE INDEX open_hold_by_account ON open_hold (shard, account, expires_at);
CREATE INDEX open_hold_by_expiry ON open_hold (shard, expires_at, hold);

-- Equality search in transactions' metadata. The digest is a uuid because under row level
-- security an index serves only leakproof operators, and because values may be longer than an index row.
CREATE TABLE transaction_metadata (
    shard    smallint NOT NULL,
    tenant   uuid     NOT NULL,
    digest   uuid     NOT NULL,
    position bigint   NOT NULL,
    PRIMARY KEY (shard, tenant, digest, position)
);

-- Which process drives a clock: one at a time, by lease.
CREATE TABLE clock_lease (
    name       text        PRIMARY KEY,
    holder     uuid        NOT NULL,
    fence      bigint      NOT NULL,
    expires_at timestamptz NOT NULL
);

-- Append-only: grants stop the application, these triggers stop mistakes, the chain detects an owner.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['shard', 'batch', 'event', 'entry', 'counter', 'request'] LOOP
        EXECUTE format('CREATE TRIGGER %I_rows BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', t, t);
        EXECUTE format('CREATE TRIGGER %I_table BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t, t);
        -- ALWAYS: a superuser's session_replication_role = replica must not switch them off.
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I_rows', t, t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I_table', t, t);
    END LOOP;
END $$;

-- Tenants: the reader sees the tenant of its transaction and nothing without one;
-- the writer serves a whole shard; the auditor reads all; the owner migrates.
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['event', 'entry', 'counter', 'request', 'request_body', 'asset', 'account', 'open_hold', 'transaction_metadata'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant_reads ON %I FOR SELECT TO vintem_reader USING (tenant = current_tenant())', t);
        EXECUTE format('CREATE POLICY writer ON %I TO vintem_writer USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY auditor_reads ON %I FOR SELECT TO vintem_auditor USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO vintem_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END $$;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO vintem_reader, vintem_writer, vintem_auditor;
REVOKE SELECT ON clock_lease FROM vintem_reader;
GRANT INSERT ON batch, event, entry, counter, request, request_body, halt TO vintem_writer;
-- FOR UPDATE on the mutex needs the UPDATE privilege; the trigger refuses the update itself.
GRANT UPDATE ON shard TO vintem_writer;
GRANT DELETE ON request_body TO vintem_writer;
GRANT INSERT, UPDATE, DELETE ON asset, account, open_hold, transaction_metadata, clock_lease TO vintem_writer;
GRANT INSERT ON shard TO vintem_operator;
GRANT DELETE ON halt TO vintem_operator;

INSERT INTO shard (shard) VALUES (0);

-- The version of an account's newest entry at a position; 0 before its first. Positions rise with
-- versions, so it bisects the primary key and needs no index of its own.
CREATE FUNCTION version_at(the_shard smallint, the_account bigint, the_position bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    low bigint := 0;
    high bigint;
    middle bigint;
    found_position bigint;
BEGIN
    SELECT version, position INTO high, found_position FROM entry
    WHERE shard = the_shard AND account = the_account ORDER BY version DESC LIMIT 1;
    IF high IS NULL OR found_position <= the_position THEN
        RETURN coalesce(high, 0);
    END IF;
    WHILE high - low > 1 LOOP
        middle := (low + high) / 2;
        SELECT position INTO found_position FROM entry WHERE shard = the_shard AND account = the_account AND version = middle;
        IF found_position <= the_position THEN low := middle; ELSE high := middle; END IF;
    END LOOP;
    RETURN low;
END $$;
