# The projector, as a worker that plays this role alone or as a command: folds the log into the views that people look at.

# A leased Postgres user of the group role vintem_projector.
path "database/creds/projector" {
  capabilities = ["read"]
}

# A leased user of the broker that consumes ranges.
path "rabbitmq/creds/projector" {
  capabilities = ["read"]
}

# Giving a retired user back before its lease ends; the lease id is known only to its holder.
path "sys/leases/revoke" {
  capabilities = ["update"]
}
