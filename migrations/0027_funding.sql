-- Top-ups and withdrawals are daily movement of money like transfers. Nobody has made one before this, so the indexes that stand on
-- the function hold nothing that would have to leave them.
CREATE OR REPLACE FUNCTION is_audited(kind text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN kind <> ALL ('{transaction.posted,transaction.reversed,hold.placed,hold.captured,hold.released,hold.extended,hold.incremented,hold.expired,transfer.requested,transfer.confirmed,topup.requested,topup.credited,withdrawal.requested,withdrawal.approved,withdrawal.paid,withdrawal.rejected}');
