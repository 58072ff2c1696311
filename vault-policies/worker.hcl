# The worker: tells RabbitMQ what was recorded (relay), folds it into views (projector), tells integrators and the servers of
# tenants (webhooks), and does what is due (clocks).

# Leased Postgres users of the group roles vintem_relay, vintem_projector, vintem_integrators and vintem_webhooks.
path "database/creds/relay" {
  capabilities = ["read"]
}

path "database/creds/projector" {
  capabilities = ["read"]
}

path "database/creds/integrators" {
  capabilities = ["read"]
}

# The drift checks read everything and change nothing.
path "database/creds/auditor" {
  capabilities = ["read"]
}

# The clocks end holds, which is an event like any other and appended by a writer of their own.
path "database/creds/writer" {
  capabilities = ["read"]
}

path "database/creds/webhooks" {
  capabilities = ["read"]
}

# The Ed25519 keys that sign webhooks, and opening the secrets of their endpoints.
path "kv/data/webhook-signing" {
  capabilities = ["read"]
}

path "transit/decrypt/webhooks" {
  capabilities = ["update"]
}

# Leased users of the broker: one that publishes ranges, one that consumes them, one that publishes events.
path "rabbitmq/creds/relay" {
  capabilities = ["read"]
}

path "rabbitmq/creds/projector" {
  capabilities = ["read"]
}

path "rabbitmq/creds/integrators" {
  capabilities = ["read"]
}

# Destroying the keys of people who were erased, in the database of keys. It can unwrap none of them.
path "database/creds/keeper" {
  capabilities = ["read"]
}

# Giving a retired user back before its lease ends; the lease id is known only to its holder.
path "sys/leases/revoke" {
  capabilities = ["update"]
}

# Signing checkpoints of the log. The key stays in Vault, and making another one is not ours.
path "transit/sign/checkpoint" {
  capabilities = ["update"]
}

# Revoking the certificates of terminals that are lost or revoked, and having the list of revoked ones made anew.
path "pki/revoke" {
  capabilities = ["update"]
}

path "pki/crl/rotate" {
  capabilities = ["read"]
}
