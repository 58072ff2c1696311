-- Nobody costs what somebody does, and members' requests are let in by those who read.

-- Takes the place of client_that_logs_in, which the release before this one still calls; the next one drops it. Whoever
-- asks for a client that does not exist is answered with the row of the one before it, so that both are found by the same
-- steps and fill as many columns; the name says whose row it is. Before the first one stands the last one.
CREATE FUNCTION client_at_the_door(wanted uuid)
    RETURNS TABLE (client uuid, tenant uuid, secret_hash bytea, previous_hash bytea, previous_until timestamptz,
                   scopes text[], networks text[], expires_at timestamptz, dpop_key bytea, revoked boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
    (SELECT c.client, c.tenant, c.secret_hash, c.previous_hash, c.previous_until, c.scopes, c.networks, c.expires_at,
            c.dpop_key, c.revoked_at IS NOT NULL
     FROM public.client c WHERE c.client <= wanted ORDER BY c.client DESC LIMIT 1)
    UNION ALL
    (SELECT c.client, c.tenant, c.secret_hash, c.previous_hash, c.previous_until, c.scopes, c.networks, c.expires_at,
            c.dpop_key, c.revoked_at IS NOT NULL
     FROM public.client c ORDER BY c.client DESC LIMIT 1)
    LIMIT 1;
END;
REVOKE EXECUTE ON FUNCTION client_at_the_door FROM PUBLIC;
GRANT EXECUTE ON FUNCTION client_at_the_door TO vintem_reader;

-- Each request of a member finds its session and its member. That only reads, and the editor has few connections. The ticket is
-- a digest of 256 random bits, by which a session is found; everything else that proves a member stays the editor's.
CREATE POLICY tenant_reads ON staff_session FOR SELECT TO vintem_reader USING (tenant = current_tenant());
CREATE POLICY tenant_reads ON staff_member FOR SELECT TO vintem_reader USING (tenant = current_tenant());
GRANT SELECT (shard, member_version, tenant, session, member, created_at, used_at, fresh_until, ended_at, ticket) ON staff_session TO vintem_reader;
GRANT SELECT ON staff_member TO vintem_reader;
