-- Answers lie in the order of their batches: a new one goes to the end of the index, where its neighbours are, and not
-- to the random place of its key. They are deleted by age, which the same index finds.
ALTER TABLE request_body DROP CONSTRAINT request_body_pkey, ADD PRIMARY KEY (shard, seq, tenant, principal, key);
DROP INDEX request_body_by_seq;
