-- Search keeps each word of an event once, whatever the number of its accounts, and no counterparties: what two accounts
-- had to do with each other is where their lists meet. `vintem rebuild` fills the new table. The release before this
-- one still uses activity_term, which the next one drops.

CREATE TABLE activity_word (
    shard    smallint NOT NULL,
    -- A digest of tenant and word, because under row-level security an index serves only leakproof operators.
    word     bigint   NOT NULL,
    position bigint   NOT NULL,
    tenant   uuid     NOT NULL,
    PRIMARY KEY (shard, word, position)
);
SELECT protect_projection('activity_word');
