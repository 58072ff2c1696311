# The command that wraps the keys of people anew after the key that wraps them was rotated. It opens none.

# A leased Postgres user of the group role vintem_rewrapper, in the database of keys.
path "database/creds/rewrapper" {
  capabilities = ["read"]
}

# Which version is the newest.
path "transit/keys/people" {
  capabilities = ["read"]
}

# From an old version to the newest; nothing leaves Vault in clear.
path "transit/rewrap/people" {
  capabilities = ["update"]
}

# Giving the user back before its lease ends.
path "sys/leases/revoke" {
  capabilities = ["update"]
}
