# The migrator: changes the schema, then ends.

# A leased Postgres user of the group role vintem_owner.
path "database/creds/migrator" {
  capabilities = ["read"]
}

# The same for the database of keys: vintem_key_owner.
path "database/creds/keys-migrator" {
  capabilities = ["read"]
}

# Giving it back before its lease ends.
path "sys/leases/revoke" {
  capabilities = ["update"]
}
