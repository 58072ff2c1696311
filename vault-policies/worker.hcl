# The worker: tells RabbitMQ what was recorded (relay), folds it into views (projector), and tells integrators.

# Leased Postgres users of the group roles vintem_relay, vintem_projector and vintem_integrators.
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

# Giving a retired user back before its lease ends; the lease id is known only to its holder.
path "sys/leases/revoke" {
  capabilities = ["update"]
}
