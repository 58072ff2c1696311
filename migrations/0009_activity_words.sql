-- Search keeps each word of an event once, whatever the number of its accounts, and no counterparties: what two accounts
-- had to do with each other is where their lists meet. `vintem rebuild` fills the new table.

DROP TABLE activity_term;
DROP TABLE IF EXISTS rebuild.activity_term, before.activity_term;

CREATE TABLE activity_word (
    shard    smallint NOT NULL,
    -- A digest of tenant and word, because under row-level security an index serves only leakproof operators.
    word     bigint   NOT NULL,
    position bigint   NOT NULL,
    tenant   uuid     NOT NULL,
    PRIMARY KEY (shard, word, position)
);
SELECT protect_projection('activity_word');
