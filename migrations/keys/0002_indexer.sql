-- Who writes the rows by which people are found under another key opens their numbers once, and changes no key.
CREATE POLICY tenant_reads ON person_key FOR SELECT TO vintem_indexer USING (tenant = current_tenant());
GRANT SELECT ON person_key TO vintem_indexer;
