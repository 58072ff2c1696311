# The projector: folds the log into the views that people look at.

# A leased Postgres user of the group role vintem_projector.
path "database/creds/projector" {
  capabilities = ["read"]
}

# Giving it back before its lease ends.
path "sys/leases/revoke" {
  capabilities = ["update"]
}
