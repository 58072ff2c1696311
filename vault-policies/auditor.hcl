# Verify and export: read the whole ledger and change nothing.

# A leased Postgres user of the group role vintem_auditor.
path "database/creds/auditor" {
  capabilities = ["read"]
}

# Giving it back before its lease ends.
path "sys/leases/revoke" {
  capabilities = ["update"]
}
