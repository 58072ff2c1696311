-- The group roles of Vintem, one per kind of process. They exist once per Postgres server (not per database),
-- nobody logs in as them, and everything that is granted is granted to them. Vault makes a short-lived user
-- `IN ROLE` one of them for each lease. Run as superuser before the first migration; safe to repeat.
-- (sqlx skips this file: only names of the form <number>_<words>.sql are migrations.)

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[
        'vintem_owner',     -- owns schema and tables; only the migrator becomes it
        'vintem_reader',    -- the API's reads, limited to one tenant by row-level security
        'vintem_writer',    -- the shard writer: appends to the ledger, updates look-ups
        'vintem_operator',  -- the operator's command: tenants, clients, recover
        'vintem_projector', -- folds the log into views: reads facts, writes its views only
        'vintem_relay',     -- tells the workers which positions are new; reads no event
        'vintem_integrators', -- publishes events to subscriptions; reads facts, moves its checkpoints
        'vintem_editor',    -- the API's writes beside the ledger, limited to one tenant by row-level security
        'vintem_webhooks',  -- turns events into deliveries and delivers them; reads facts, writes deliveries only
        'vintem_key_owner', -- owns the schema of the database of people's keys; its migrator becomes it
        'vintem_keeper',    -- makes, fetches and destroys those keys, limited to one tenant by row-level security
        'vintem_rewrapper', -- wraps those keys anew; opens none
        'vintem_indexer',   -- reads those keys to write look-up rows anew; limited to one tenant by row-level security
        'vintem_auditor'    -- verify and export: reads everything, changes nothing
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        END IF;
    END LOOP;
END
$$;

GRANT vintem_writer TO vintem_operator;
