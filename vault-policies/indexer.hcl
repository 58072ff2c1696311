# The indexer: replaces the key by which people are found, and writes their look-up rows anew (`vintem keys rotate
# blind-index`). For that it opens the number of each person once.

# The ring of that key. Each change replaces exactly the version that was read.
path "kv/data/blind-index" {
  capabilities = ["read", "update"]
}

# Look-up rows are the writer's, and so is the event of the rotation.
path "database/creds/writer" {
  capabilities = ["read"]
}

# A leased Postgres user of the group role vintem_indexer, in the database of keys: it reads them and changes none.
path "database/creds/indexer" {
  capabilities = ["read"]
}

# Unwrapping them. Making keys is not ours.
path "transit/decrypt/people" {
  capabilities = ["update"]
}

# Giving the users back before their leases end.
path "sys/leases/revoke" {
  capabilities = ["update"]
}
