-- How far each shard's log has been published to the workers.

-- Moved only after the broker confirmed, and only by the process whose fence is not older than the last one's:
-- who lost the lease and does not know it yet cannot move it back.
CREATE TABLE relay (
    shard    smallint PRIMARY KEY REFERENCES shard,
    -- The newest batch that was published as a whole, with its epoch and tip: is it still in the log?
    epoch    integer  NOT NULL,
    position bigint   NOT NULL CHECK (position >= 0),
    seq      bigint   NOT NULL CHECK (seq >= 0),
    fence    bigint   NOT NULL,
    tip      bytea    NOT NULL CHECK (octet_length(tip) = 32)
);

-- The relay reads positions, never what happened: nothing personal passes through it.
GRANT SELECT ON shard, batch TO vintem_relay;
GRANT SELECT, INSERT, UPDATE ON relay, clock_lease TO vintem_relay;
GRANT SELECT ON relay TO vintem_auditor;
