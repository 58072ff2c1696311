-- `vintem verify` rebuilds the look-up tables beside the real ones and compares them. Temporary tables
-- are all that the auditor may make; its sessions are read-only for everything else.
DO $$
BEGIN
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO vintem_auditor', current_database());
END $$;
