# The supervisors: each starts the API or the worker and passes it one wrapped secret_id over a pipe. They can mint
# these and nothing else; Vault refuses to hand them one that is not wrapped, so they never see a secret_id themselves.
path "auth/approle/role/api/secret-id" {
  capabilities     = ["create", "update"]
  min_wrapping_ttl = "1s"
  max_wrapping_ttl = "5m"
}

path "auth/approle/role/worker/secret-id" {
  capabilities     = ["create", "update"]
  min_wrapping_ttl = "1s"
  max_wrapping_ttl = "5m"
}
