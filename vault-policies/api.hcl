# The API: one process that reads and one that writes, both inside `vintem-api`.

# Leased Postgres users of the group roles vintem_reader, vintem_writer and vintem_editor.
path "database/creds/reader" {
  capabilities = ["read"]
}

path "database/creds/writer" {
  capabilities = ["read"]
}

path "database/creds/editor" {
  capabilities = ["read"]
}

# The key that signs access tokens, and its predecessors that are still published.
path "kv/data/token-signing" {
  capabilities = ["read"]
}

# The key that seals list cursors to their filter.
path "kv/data/cursor" {
  capabilities = ["read"]
}

# The public halves of the keys that sign webhooks; the private ones are out of reach.
path "kv/data/webhook-public" {
  capabilities = ["read"]
}

# Sealing the secrets of webhook endpoints. Opening them again is not ours.
path "transit/encrypt/webhooks" {
  capabilities = ["update"]
}

# Signing receipts, and the public halves of the key that does so. Changing it is not ours.
path "transit/sign/receipt" {
  capabilities = ["update"]
}

path "transit/keys/receipt" {
  capabilities = ["read"]
}

# The keys of people: a leased Postgres user of the group role vintem_keeper, in the database of keys; making keys, which
# come back in clear and wrapped; unwrapping those that are kept.
path "database/creds/keeper" {
  capabilities = ["read"]
}

path "transit/datakey/plaintext/people" {
  capabilities = ["update"]
}

path "transit/decrypt/people" {
  capabilities = ["update"]
}

# The keys of blind indexes, and the one of fingerprints of requests that carry something personal, which is the pepper of passwords too.
path "kv/data/blind-index" {
  capabilities = ["read"]
}

path "kv/data/request-digest" {
  capabilities = ["read"]
}

# User and password of the mail server, where it wants them.
path "kv/data/smtp" {
  capabilities = ["read"]
}

# The certificate that it shows to the door, over a key that it made itself.
path "pki/sign/service-api" {
  capabilities = ["update"]
}

# The certificates of terminals, over keys that those made. Revoking them is the clocks'.
path "pki/sign/terminal" {
  capabilities = ["update"]
}

# Giving a retired database user back before its lease ends; the lease id is known only to its holder.
path "sys/leases/revoke" {
  capabilities = ["update"]
}
