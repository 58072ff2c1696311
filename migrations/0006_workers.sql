-- What the workers do for integrators, on time, and one at a time.

-- Who is told of events over RabbitMQ. One row is one queue.
CREATE TABLE subscription (
    -- How many events may wait in its queue. A queue that is full stands still and delays no other.
    length     integer     NOT NULL CHECK (length BETWEEN 1 AND 10000000),
    -- Whose events; null is everybody's, for programs of those who run the system.
    tenant     uuid        REFERENCES tenant,
    created_at timestamptz NOT NULL,
    -- Its queue is deleted by the worker, and then the row.
    removed_at timestamptz,
    name       text        PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    -- Which kinds of events, as in a topic exchange: `*` is a word, `#` any number of them.
    kinds      text        NOT NULL
);

-- How far each has been published. Moved like the relay's, by the fence of the subscription's lease.
CREATE TABLE subscription_checkpoint (
    shard    smallint NOT NULL,
    epoch    integer  NOT NULL,
    position bigint   NOT NULL CHECK (position >= 0),
    seq      bigint   NOT NULL CHECK (seq >= 0),
    fence    bigint   NOT NULL,
    name     text     NOT NULL REFERENCES subscription ON DELETE CASCADE,
    tip      bytea    NOT NULL CHECK (octet_length(tip) = 32),
    PRIMARY KEY (shard, name)
);

ALTER TABLE subscription ENABLE ROW LEVEL SECURITY;
ALTER TABLE subscription FORCE ROW LEVEL SECURITY;
CREATE POLICY operator ON subscription TO vintem_operator USING (true) WITH CHECK (true);
CREATE POLICY integrators ON subscription TO vintem_integrators USING (true) WITH CHECK (true);
CREATE POLICY auditor_reads ON subscription FOR SELECT TO vintem_auditor USING (true);
CREATE POLICY owner ON subscription TO vintem_owner USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE (removed_at) ON subscription TO vintem_operator;
GRANT SELECT, INSERT ON subscription_checkpoint TO vintem_operator;
GRANT SELECT ON subscription, subscription_checkpoint TO vintem_auditor;

-- The publisher reads what happened, and moves its checkpoints; it appends nothing.
GRANT SELECT ON shard, batch, event TO vintem_integrators;
CREATE POLICY integrators_read ON event FOR SELECT TO vintem_integrators USING (true);
GRANT SELECT, DELETE ON subscription TO vintem_integrators;
GRANT SELECT, INSERT, UPDATE, DELETE ON subscription_checkpoint TO vintem_integrators;
GRANT SELECT, INSERT, UPDATE ON clock_lease TO vintem_integrators;

-- What is to be done at a time, again and again until it is. A command is idempotent: it may be done twice.
CREATE TABLE job (
    -- Without a foreign key, whose check would wait for the shard's mutex.
    shard     smallint    NOT NULL,
    attempts  integer     NOT NULL DEFAULT 0,
    -- Not before; while somebody works at it, when the next one may think that he died.
    run_at    timestamptz NOT NULL,
    -- Given up: somebody must look at it.
    failed_at timestamptz,
    kind      text        NOT NULL,
    -- Names the command within its kind: asking for it twice is asking once.
    key       text        NOT NULL,
    payload   json        NOT NULL,
    failure   text,
    PRIMARY KEY (shard, kind, key)
);
CREATE INDEX job_by_time ON job (kind, run_at) WHERE failed_at IS NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON job TO vintem_writer;
GRANT SELECT ON job TO vintem_auditor;

-- Which session rebuilds a projection. The row is good for as long as that session lives.
CREATE TABLE rebuild.running (
    session_user_id oid     NOT NULL,
    pid             integer NOT NULL,
    name            text    PRIMARY KEY
);
