# The certifier: has certificates signed for services that cannot ask for themselves, over keys that it made, and puts
# them where those read them. It cannot have one signed for the API, nor for a terminal, nor revoke any.

path "pki/sign/service-nginx" {
  capabilities = ["update"]
}

path "pki/sign/service-postgres" {
  capabilities = ["update"]
}

path "pki/sign/service-rabbitmq" {
  capabilities = ["update"]
}
