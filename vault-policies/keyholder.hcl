# The keyholder: rotates the keys of the installation (`vintem keys rotate`), revokes certificates (`vintem keys revoke`),
# and does nothing else.

# The rings of keys: one signs, all verify. Each change replaces exactly the version that was read.
path "kv/data/token-signing" {
  capabilities = ["read", "update"]
}

path "kv/data/cursor" {
  capabilities = ["read", "update"]
}

path "kv/data/webhook-signing" {
  capabilities = ["read", "update"]
}

# The public halves of the keys of webhooks.
path "kv/data/webhook-public" {
  capabilities = ["read", "update"]
}

# The key of checkpoints stays in Vault: its versions are counted and a new one is made, nothing is signed.
path "transit/keys/checkpoint" {
  capabilities = ["read"]
}

path "transit/keys/checkpoint/rotate" {
  capabilities = ["update"]
}

path "transit/keys/receipt" {
  capabilities = ["read"]
}

path "transit/keys/receipt/rotate" {
  capabilities = ["update"]
}

# Revoking a certificate by its number, and having the list of revoked ones made anew at once.
path "pki/revoke" {
  capabilities = ["update"]
}

path "pki/crl/rotate" {
  capabilities = ["read"]
}

# Each rotation is in the log, appended by a writer like any other.
path "database/creds/writer" {
  capabilities = ["read"]
}

# Giving the database user back before its lease ends.
path "sys/leases/revoke" {
  capabilities = ["update"]
}
