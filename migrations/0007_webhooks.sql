-- Webhooks: where tenants want to be told, what they are to be told, and what became of it.

-- Where a tenant listens. A deleted one stays, without its address, until its deliveries are gone.
CREATE TABLE webhook_endpoint (
    shard            smallint    NOT NULL,
    -- What was recorded up to here is not delivered by itself; a replay may ask for it.
    from_position    bigint      NOT NULL CHECK (from_position >= 0),
    tenant           uuid        NOT NULL,
    endpoint         uuid        NOT NULL,
    url              text        NOT NULL,
    -- Kinds of events, families such as hold.*, or *.
    events           text[]      NOT NULL,
    description      text,
    state            text        NOT NULL CHECK (state IN ('enabled', 'disabled', 'deleted')),
    disabled_because text        CHECK (disabled_because IN ('asked', 'gone')),
    created_at       timestamptz NOT NULL,
    PRIMARY KEY (shard, tenant, endpoint)
);

-- Secrets of endpoints, sealed by Vault: the database cannot sign. Several are alive while one replaces another.
CREATE TABLE webhook_secret (
    shard      smallint    NOT NULL,
    number     integer     NOT NULL CHECK (number >= 1),
    tenant     uuid        NOT NULL,
    endpoint   uuid        NOT NULL,
    sealed     text        NOT NULL CHECK (sealed LIKE 'vault:%'),
    created_at timestamptz NOT NULL,
    -- From when on it signs no more; null for the newest.
    ends_at    timestamptz,
    PRIMARY KEY (shard, tenant, endpoint, number)
);

-- One row per endpoint and event. The epoch belongs to the key: after a recovery a position may hold another event.
CREATE TABLE webhook_delivery (
    shard      smallint    NOT NULL,
    epoch      integer     NOT NULL,
    position   bigint      NOT NULL,
    tenant     uuid        NOT NULL,
    endpoint   uuid        NOT NULL,
    kind       text        NOT NULL,
    state      text        NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    -- Of all rounds, and of this round: a replay begins a new one.
    attempts   integer     NOT NULL DEFAULT 0,
    tries      integer     NOT NULL DEFAULT 0,
    -- While somebody delivers it: when others may take it for abandoned.
    due_at     timestamptz NOT NULL,
    claim      uuid,
    settled_at timestamptz,
    PRIMARY KEY (shard, tenant, endpoint, epoch, position)
);
-- What is due, endpoint by endpoint, so that a slow one cannot hold up the others.
CREATE INDEX webhook_delivery_due ON webhook_delivery (shard, tenant, endpoint, due_at) WHERE state = 'pending';
-- What is old enough to go.
CREATE INDEX webhook_delivery_settled ON webhook_delivery (shard, settled_at) WHERE settled_at IS NOT NULL;

-- What each attempt met. The other side's words are not kept: they may be personal.
CREATE TABLE webhook_attempt (
    shard        smallint    NOT NULL,
    status       smallint,
    number       integer     NOT NULL,
    milliseconds integer     NOT NULL,
    epoch        integer     NOT NULL,
    position     bigint      NOT NULL,
    tenant       uuid        NOT NULL,
    endpoint     uuid        NOT NULL,
    outcome      text        NOT NULL,
    at           timestamptz NOT NULL,
    PRIMARY KEY (shard, tenant, endpoint, epoch, position, number),
    FOREIGN KEY (shard, tenant, endpoint, epoch, position) REFERENCES webhook_delivery ON DELETE CASCADE
);

-- What was answered to changes of endpoints, under their keys. In the change's own transaction, hence not in
-- request, which only the shard's writer appends to. A secret is never part of a body.
CREATE TABLE webhook_request (
    shard       smallint NOT NULL,
    -- Null only until the transaction that claimed the key commits.
    status      smallint,
    tenant      uuid     NOT NULL,
    principal   uuid     NOT NULL,
    key         text     NOT NULL,
    code        text,
    fingerprint bytea    NOT NULL CHECK (octet_length(fingerprint) = 32),
    body        bytea,
    PRIMARY KEY (shard, tenant, principal, key)
);

-- How far each shard's log has been turned into deliveries. As relay is, and for the same reasons.
CREATE TABLE webhook_checkpoint (
    shard    smallint PRIMARY KEY REFERENCES shard,
    epoch    integer  NOT NULL,
    position bigint   NOT NULL CHECK (position >= 0),
    seq      bigint   NOT NULL CHECK (seq >= 0),
    fence    bigint   NOT NULL,
    tip      bytea    NOT NULL CHECK (octet_length(tip) = 32)
);

-- Databases that were made before these roles let them in too.
DO $$
BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO vintem_editor, vintem_webhooks', current_database());
END $$;

-- The reader sees and the editor changes what is the tenant's of its transaction; the worker serves all of them.
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['webhook_endpoint', 'webhook_secret', 'webhook_delivery', 'webhook_attempt', 'webhook_request'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant_reads ON %I FOR SELECT TO vintem_reader USING (tenant = current_tenant())', t);
        EXECUTE format('CREATE POLICY tenant_edits ON %I TO vintem_editor USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant())', t);
        EXECUTE format('CREATE POLICY webhooks ON %I TO vintem_webhooks USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY auditor_reads ON %I FOR SELECT TO vintem_auditor USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO vintem_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END $$;

GRANT SELECT ON webhook_endpoint, webhook_delivery, webhook_attempt, webhook_request TO vintem_reader, vintem_editor, vintem_auditor;
-- Nobody reads sealed secrets but who delivers.
GRANT SELECT (shard, number, tenant, endpoint, created_at, ends_at) ON webhook_secret TO vintem_reader, vintem_editor, vintem_auditor;
GRANT INSERT, UPDATE (url, events, description, state, disabled_because) ON webhook_endpoint TO vintem_editor;
GRANT INSERT, UPDATE (ends_at), DELETE ON webhook_secret TO vintem_editor;
GRANT INSERT, UPDATE (state, tries, due_at, claim, settled_at) ON webhook_delivery TO vintem_editor;
GRANT INSERT, UPDATE (status, code, body) ON webhook_request TO vintem_editor;

-- A replay finds its events in the log, and a key that a ledger's write has used is taken here too.
GRANT SELECT ON batch, event, request TO vintem_editor;
CREATE POLICY tenant_edits ON event FOR SELECT TO vintem_editor USING (tenant = current_tenant());
CREATE POLICY tenant_edits ON request FOR SELECT TO vintem_editor USING (tenant = current_tenant());

GRANT SELECT ON shard, batch, event, webhook_endpoint, webhook_secret, webhook_attempt TO vintem_webhooks;
CREATE POLICY webhooks ON event FOR SELECT TO vintem_webhooks USING (true);
GRANT UPDATE (state, disabled_because), DELETE ON webhook_endpoint TO vintem_webhooks;
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_delivery TO vintem_webhooks;
GRANT INSERT ON webhook_attempt TO vintem_webhooks;
GRANT SELECT, INSERT, UPDATE ON webhook_checkpoint, clock_lease TO vintem_webhooks;
GRANT SELECT ON webhook_checkpoint TO vintem_auditor;
