-- Who did what: the events that are not the daily movement of money, found by who caused them and by what they are about.
-- An index of its own for them, because on the whole log it would cost every transfer, and most of the log is transfers.

-- A new kind is audited until a migration says that it is daily movement.
CREATE FUNCTION is_audited(kind text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN kind <> ALL ('{transaction.posted,transaction.reversed,hold.placed,hold.captured,hold.released,hold.extended,hold.incremented,hold.expired}');

CREATE INDEX event_audited ON event (shard, tenant, position) WHERE is_audited(kind);
CREATE INDEX event_audited_by_actor ON event (shard, tenant, actor, position) WHERE is_audited(kind);
