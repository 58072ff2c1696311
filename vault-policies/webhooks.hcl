# A worker that does nothing but tell the servers of tenants: the process with a way out of the private network.

# A leased Postgres user of the group role vintem_webhooks.
path "database/creds/webhooks" {
  capabilities = ["read"]
}

# The Ed25519 keys that sign every message.
path "kv/data/webhook-signing" {
  capabilities = ["read"]
}

# Opening the secrets of endpoints, which the API has sealed.
path "transit/decrypt/webhooks" {
  capabilities = ["update"]
}

# Giving a retired database user back before its lease ends.
path "sys/leases/revoke" {
  capabilities = ["update"]
}
