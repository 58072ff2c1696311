# A worker that plays the role `clocks` alone: does what is due, and holds samples of the ledger against its log.

# Ending a hold is an event like any other, appended by a writer of its own.
path "database/creds/writer" {
  capabilities = ["read"]
}

# The drift checks read everything and change nothing.
path "database/creds/auditor" {
  capabilities = ["read"]
}

# Destroying the keys of erased people. Unwrapping one is not ours.
path "database/creds/keeper" {
  capabilities = ["read"]
}

# Giving a retired user back before its lease ends; the lease id is known only to its holder.
path "sys/leases/revoke" {
  capabilities = ["update"]
}

# Revoking the certificates of terminals that are lost or revoked, and having the list of revoked ones made anew.
path "pki/revoke" {
  capabilities = ["update"]
}

path "pki/crl/rotate" {
  capabilities = ["read"]
}
