# The supervisor: starts the API and passes it one wrapped secret_id over a pipe. It can mint these and nothing else;
# Vault refuses to hand it one that is not wrapped, so it never sees a secret_id itself.
path "auth/approle/role/api/secret-id" {
  capabilities     = ["create", "update"]
  min_wrapping_ttl = "1s"
  max_wrapping_ttl = "5m"
}
