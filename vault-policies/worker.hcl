# The worker: tells RabbitMQ what was recorded (relay), folds it into views (projector), tells the servers of tenants
# (webhooks).

# Leased Postgres users of the group roles vintem_relay, vintem_projector and vintem_webhooks.
path "database/creds/relay" {
  capabilities = ["read"]
}

path "database/creds/projector" {
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

# Leased users of the broker: one that publishes ranges, one that consumes them.
path "rabbitmq/creds/relay" {
  capabilities = ["read"]
}

path "rabbitmq/creds/projector" {
  capabilities = ["read"]
}

# Giving a retired user back before its lease ends; the lease id is known only to its holder.
path "sys/leases/revoke" {
  capabilities = ["update"]
}
