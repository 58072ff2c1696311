# A worker that plays the role `relay` alone: tells the broker which positions are new.

# A leased Postgres user of the group role vintem_relay, which reads no event.
path "database/creds/relay" {
  capabilities = ["read"]
}

# A leased user of the broker that publishes ranges.
path "rabbitmq/creds/relay" {
  capabilities = ["read"]
}

# Giving a retired user back before its lease ends; the lease id is known only to its holder.
path "sys/leases/revoke" {
  capabilities = ["update"]
}
