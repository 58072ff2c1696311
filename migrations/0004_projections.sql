-- The read side: views folded from the log by the projector, each as old as its checkpoint says.

-- How far each projection has folded a shard. Moved in the transaction that changes the projection's rows.
CREATE TABLE projection (
    shard          smallint NOT NULL,
    -- Of the fold: rows of another version are not to be added to.
    version        integer  NOT NULL,
    -- The newest batch at or before the position, with its epoch and tip: is it still in the log?
    epoch          integer  NOT NULL,
    position       bigint   NOT NULL CHECK (position >= 0),
    seq            bigint   NOT NULL CHECK (seq >= 0),
    name           text     NOT NULL,
    tip            bytea    NOT NULL CHECK (octet_length(tip) = 32),
    parked_at      timestamptz,
    parked_because text,
    PRIMARY KEY (shard, name)
);

-- What happened on an account, one row per event and account.
CREATE TABLE activity (
    shard        smallint    NOT NULL,
    position     bigint      NOT NULL,
    -- Change of what is posted, else of what is set aside; in the direction of the normal side.
    amount       bigint      NOT NULL,
    account      uuid        NOT NULL,
    counterparty uuid,
    tenant       uuid        NOT NULL,
    effective_at timestamptz NOT NULL,
    kind         text        NOT NULL,
    PRIMARY KEY (shard, account, position)
);

-- What it can be found by beyond that: words and the counterparty, each as a digest, because under
-- row-level security an index serves only leakproof operators such as the equality of uuids.
CREATE TABLE activity_term (
    shard    smallint NOT NULL,
    position bigint   NOT NULL,
    account  uuid     NOT NULL,
    term     uuid     NOT NULL,
    tenant   uuid     NOT NULL,
    PRIMARY KEY (shard, account, term, position)
);

-- Per day, asset and kind. Sums outgrow 64 bits.
CREATE TABLE volume (
    shard  smallint NOT NULL,
    scale  smallint NOT NULL,
    day    date     NOT NULL,
    count  bigint   NOT NULL,
    tenant uuid     NOT NULL,
    asset  text     NOT NULL,
    kind   text     NOT NULL,
    amount numeric  NOT NULL,
    PRIMARY KEY (shard, tenant, day, asset, kind)
);

-- What holds still hold, per account.
CREATE TABLE held (
    shard      smallint    NOT NULL,
    scale      smallint    NOT NULL,
    amount     bigint      NOT NULL,
    hold       uuid        NOT NULL,
    account    uuid        NOT NULL,
    tenant     uuid        NOT NULL,
    placed_at  timestamptz NOT NULL,
    asset      text        NOT NULL,
    PRIMARY KEY (shard, hold, account)
);
CREATE INDEX held_by_age ON held (shard, tenant, placed_at);

-- Every account's balance, found by its size.
CREATE TABLE standing (
    shard   smallint NOT NULL,
    scale   smallint NOT NULL,
    posted  bigint   NOT NULL,
    account uuid     NOT NULL,
    tenant  uuid     NOT NULL,
    asset   text     NOT NULL,
    PRIMARY KEY (shard, account)
);
CREATE INDEX standing_by_balance ON standing (shard, tenant, asset, posted, account);

-- What was debited and credited on an account on a day.
CREATE TABLE turnover (
    shard   smallint NOT NULL,
    scale   smallint NOT NULL,
    day     date     NOT NULL,
    account uuid     NOT NULL,
    tenant  uuid     NOT NULL,
    asset   text     NOT NULL,
    debit   numeric  NOT NULL,
    credit  numeric  NOT NULL,
    PRIMARY KEY (shard, tenant, account, day)
);

-- Who may do what with a projection's table; `vintem rebuild` calls it for the one that it builds beside.
CREATE FUNCTION protect_projection(the_table regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', the_table);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', the_table);
    EXECUTE format('CREATE POLICY tenant_reads ON %s FOR SELECT TO vintem_reader USING (tenant = current_tenant())', the_table);
    EXECUTE format('CREATE POLICY projector ON %s TO vintem_projector USING (true) WITH CHECK (true)', the_table);
    EXECUTE format('CREATE POLICY auditor_reads ON %s FOR SELECT TO vintem_auditor USING (true)', the_table);
    EXECUTE format('CREATE POLICY owner ON %s TO vintem_owner USING (true) WITH CHECK (true)', the_table);
    EXECUTE format('GRANT SELECT ON %s TO vintem_reader, vintem_auditor', the_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO vintem_projector', the_table);
END $$;
REVOKE EXECUTE ON FUNCTION protect_projection FROM PUBLIC;

SELECT protect_projection(name::regclass) FROM unnest(ARRAY['activity', 'activity_term', 'volume', 'held', 'standing', 'turnover']) AS name;

-- Positions are nobody's data.
GRANT SELECT ON projection TO vintem_reader, vintem_auditor;
GRANT SELECT, INSERT, UPDATE ON projection TO vintem_projector;

-- The projector reads facts and what never changes about accounts and tenants; it changes its views only.
GRANT SELECT ON shard, batch, event, account TO vintem_projector;
GRANT SELECT (tenant, shard, time_zone) ON tenant TO vintem_projector;
GRANT SELECT, INSERT, UPDATE ON clock_lease TO vintem_projector;
CREATE POLICY projector_reads ON event FOR SELECT TO vintem_projector USING (true);
CREATE POLICY projector_reads ON account FOR SELECT TO vintem_projector USING (true);
CREATE POLICY projector_reads ON tenant FOR SELECT TO vintem_projector USING (true);

-- Where `vintem rebuild` builds, and where it keeps what it replaced. Nobody else may look there.
CREATE SCHEMA rebuild;
CREATE TABLE rebuild.projection (LIKE projection INCLUDING ALL);
CREATE SCHEMA before;
