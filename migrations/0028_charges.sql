-- Charges of terminals: rows by which they are found and counted, folded from their streams in the append transaction.

CREATE TABLE charge (
    shard        smallint NOT NULL,
    scale        smallint,
    id           uuid     NOT NULL,
    tenant       uuid     NOT NULL,
    terminal     uuid     NOT NULL,
    service      uuid,
    -- The payer's account.
    payer        uuid,
    -- Of its first event, of who confirmed it and of who took it back: when that was, their batches say.
    position     bigint   NOT NULL,
    authorised   bigint,
    reversed     bigint,
    -- The terminal's own numbers of asking for it and of taking it back.
    seq          bigint,
    reversed_seq bigint,
    -- A reversal that came first has no amount.
    amount       bigint   CHECK (amount > 0),
    captured     bigint   NOT NULL,
    refunded     bigint   NOT NULL,
    -- What its own stream says: time ends a charge without an event, and an authorisation by one of its hold.
    status       text     NOT NULL CHECK (status IN ('created', 'authorised', 'captured', 'cancelled', 'reversed')),
    asset        text,
    txid         text     NOT NULL,
    short_code   text,
    PRIMARY KEY (shard, id),
    CHECK (refunded >= 0 AND captured >= refunded)
);
-- The last one of a terminal, and those that are open.
CREATE INDEX charge_by_terminal ON charge (shard, tenant, terminal, position);
CREATE INDEX charge_open ON charge (shard, tenant, terminal, position) WHERE status IN ('created', 'authorised');
-- Codes are drawn and not claimed: of two open ones that are alike neither is found.
CREATE INDEX charge_by_code ON charge (shard, tenant, short_code, position) WHERE short_code IS NOT NULL;
-- Whether the same was paid a moment ago.
CREATE INDEX charge_by_payer ON charge (shard, tenant, payer, authorised) WHERE payer IS NOT NULL;
-- Which of a terminal's own numbers have come.
CREATE INDEX charge_by_seq ON charge (shard, tenant, terminal, seq) WHERE seq IS NOT NULL;
CREATE INDEX charge_by_reversed_seq ON charge (shard, tenant, terminal, reversed_seq) WHERE reversed_seq IS NOT NULL;

-- What counts in a terminal's batch: a row per event that does, never changed.
CREATE TABLE charge_move (
    shard    smallint NOT NULL,
    scale    smallint NOT NULL,
    batch    integer  NOT NULL,
    position bigint   NOT NULL,
    amount   bigint   NOT NULL,
    tenant   uuid     NOT NULL,
    terminal uuid     NOT NULL,
    charge   uuid     NOT NULL,
    kind     text     NOT NULL CHECK (kind IN ('capture', 'refund', 'refund-failed', 'reversal')),
    asset    text     NOT NULL,
    PRIMARY KEY (shard, position)
);
CREATE INDEX charge_move_by_batch ON charge_move (shard, tenant, terminal, batch);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['charge', 'charge_move'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant_reads ON %I FOR SELECT TO vintem_reader USING (tenant = current_tenant())', t);
        EXECUTE format('CREATE POLICY writer ON %I TO vintem_writer USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY auditor_reads ON %I FOR SELECT TO vintem_auditor USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO vintem_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END $$;
GRANT SELECT ON charge, charge_move TO vintem_reader, vintem_writer, vintem_auditor;
GRANT INSERT, UPDATE ON charge TO vintem_writer;
GRANT INSERT ON charge_move TO vintem_writer;

-- Charges are daily movement of money. Nobody has made one before this, so the indexes that stand on the function hold nothing that
-- would have to leave them.
CREATE OR REPLACE FUNCTION is_audited(kind text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN kind <> ALL ('{transaction.posted,transaction.reversed,hold.placed,hold.captured,hold.released,hold.extended,hold.incremented,hold.expired,transfer.requested,transfer.confirmed,topup.requested,topup.credited,withdrawal.requested,withdrawal.approved,withdrawal.paid,withdrawal.rejected,charge.created,charge.authorised,charge.captured,charge.cancelled,charge.reversed,refund.requested,refund.succeeded,refund.failed}');
