# The API: one process that reads and one that writes, both inside `vintem-api`.

# Leased Postgres users of the group roles vintem_reader and vintem_writer.
path "database/creds/reader" {
  capabilities = ["read"]
}

path "database/creds/writer" {
  capabilities = ["read"]
}

# The key that signs access tokens, and its predecessors that are still published.
path "kv/data/token-signing" {
  capabilities = ["read"]
}

# The key that seals list cursors to their filter.
path "kv/data/cursor" {
  capabilities = ["read"]
}

# Giving a retired database user back before its lease ends; the lease id is known only to its holder.
path "sys/leases/revoke" {
  capabilities = ["update"]
}
