-- Clients end, call from where they may, and have their secrets replaced without a break.

ALTER TABLE client
    -- The secret before the present one, and how long it is still good.
    ADD COLUMN previous_hash bytea CHECK (octet_length(previous_hash) = 32),
    ADD COLUMN previous_until timestamptz,
    -- From then on it gets no tokens; none before is good for longer.
    ADD COLUMN expires_at timestamptz,
    -- Networks that it may call from; none named is from anywhere.
    ADD COLUMN networks text[] NOT NULL DEFAULT '{}',
    ADD CHECK ((previous_hash IS NULL) = (previous_until IS NULL));
CREATE INDEX client_revoked ON client (revoked_at) WHERE revoked_at IS NOT NULL;

GRANT SELECT (previous_until, expires_at, networks) ON client TO vintem_operator, vintem_auditor;

-- Takes the place of client_for_login, which the release before this one still calls; the next one drops it.
CREATE FUNCTION client_at_login(wanted uuid)
    RETURNS TABLE (tenant uuid, secret_hash bytea, previous_hash bytea, previous_until timestamptz, scopes text[],
                   networks text[], expires_at timestamptz, revoked boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
    SELECT c.tenant, c.secret_hash, c.previous_hash, c.previous_until, c.scopes, c.networks, c.expires_at, c.revoked_at IS NOT NULL
    FROM public.client c
    WHERE c.client = wanted;
END;
REVOKE EXECUTE ON FUNCTION client_at_login FROM PUBLIC;
GRANT EXECUTE ON FUNCTION client_at_login TO vintem_reader;

-- Of all tenants, and nothing but ids: whose tokens may still be about, though they are no longer good.
CREATE FUNCTION clients_revoked_lately() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
    SELECT c.client FROM public.client c WHERE c.revoked_at > clock_timestamp() - interval '15 minutes';
END;
REVOKE EXECUTE ON FUNCTION clients_revoked_lately FROM PUBLIC;
GRANT EXECUTE ON FUNCTION clients_revoked_lately TO vintem_reader;

-- The operator replaces a digest without ever reading one.
CREATE FUNCTION replace_client_secret(wanted uuid, new_hash bytea, old_until timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
    UPDATE public.client c SET previous_hash = c.secret_hash, previous_until = old_until, secret_hash = new_hash
    WHERE c.client = wanted AND c.revoked_at IS NULL;
END;
REVOKE EXECUTE ON FUNCTION replace_client_secret FROM PUBLIC;
GRANT EXECUTE ON FUNCTION replace_client_secret TO vintem_operator;
