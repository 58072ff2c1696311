# The worker: tells RabbitMQ what was recorded (relay) and folds it into views (projector).

# Leased Postgres users of the group roles vintem_relay and vintem_projector.
path "database/creds/relay" {
  capabilities = ["read"]
}

path "database/creds/projector" {
  capabilities = ["read"]
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
