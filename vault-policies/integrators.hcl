# A worker that plays the role `integrators` alone: publishes events to the queues of subscriptions.

# A leased Postgres user of the group role vintem_integrators.
path "database/creds/integrators" {
  capabilities = ["read"]
}

# A leased user of the broker that makes, fills and deletes those queues.
path "rabbitmq/creds/integrators" {
  capabilities = ["read"]
}

# Giving a retired user back before its lease ends; the lease id is known only to its holder.
path "sys/leases/revoke" {
  capabilities = ["update"]
}
