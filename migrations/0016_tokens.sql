-- Tokens that are bound to a key, and tokens that all end at once.

ALTER TABLE client
    -- SHA-256 of the public key (RFC 7638) that the client must prove to have, beside its secret.
    ADD COLUMN dpop_key bytea CHECK (octet_length(dpop_key) = 32);
GRANT SELECT (dpop_key) ON client TO vintem_operator, vintem_auditor;

ALTER TABLE tenant
    -- Tokens of the tenant that were issued until then are refused.
    ADD COLUMN tokens_since timestamptz;
GRANT UPDATE (tokens_since) ON tenant TO vintem_operator;

-- Takes the place of client_at_login, which the release before this one still calls; the next one drops it.
CREATE FUNCTION client_that_logs_in(wanted uuid)
    RETURNS TABLE (tenant uuid, secret_hash bytea, previous_hash bytea, previous_until timestamptz, scopes text[],
                   networks text[], expires_at timestamptz, dpop_key bytea, revoked boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
    SELECT c.tenant, c.secret_hash, c.previous_hash, c.previous_until, c.scopes, c.networks, c.expires_at, c.dpop_key,
           c.revoked_at IS NOT NULL
    FROM public.client c
    WHERE c.client = wanted;
END;
REVOKE EXECUTE ON FUNCTION client_that_logs_in FROM PUBLIC;
GRANT EXECUTE ON FUNCTION client_that_logs_in TO vintem_reader;

-- Of all tenants, and only those with tokens that may still be about though they are no longer good.
CREATE FUNCTION tokens_revoked_lately() RETURNS TABLE (tenant uuid, since timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
    SELECT t.tenant, t.tokens_since FROM public.tenant t WHERE t.tokens_since > clock_timestamp() - interval '15 minutes';
END;
REVOKE EXECUTE ON FUNCTION tokens_revoked_lately FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tokens_revoked_lately TO vintem_reader;
