# The operator's command: makes tenants and clients, recovers a shard.

# A leased Postgres user of the group role vintem_operator.
path "database/creds/operator" {
  capabilities = ["read"]
}

# Giving it back before its lease ends.
path "sys/leases/revoke" {
  capabilities = ["update"]
}
