#!/usr/bin/env bash
# Makes what deploy/production/docker-compose.yml needs in ./secrets (or $SECRETS): four passwords, the addresses with
# them, RabbitMQ's definitions with their hashes, an empty file for the provider's key, and a secret for its webhooks
# (put the provider's own in its place where it gives one: Meta's app secret). Nothing that exists is changed; delete a file to have it made again. It asks the image, so build that first: docker compose build
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=${SECRETS:-./secrets}
image=${ANTRIAN_IMAGE:-antrian:local}

# The folder is closed; the files are not, because the processes in the containers are other users than we.
mkdir -p "$folder"
chmod 700 "$folder"
[[ -e $folder/.gitignore ]] || echo '*' >"$folder/.gitignore"

if [[ ! -e $folder/passwords ]]; then
  for user in publisher consumer admin receipts; do echo "$user=$(openssl rand -hex 24)"; done >"$folder/passwords"
  rm -f "$folder"/*-amqp-url "$folder/definitions.json"
fi
# A folder of an earlier version has no receipts server yet.
if ! grep -q '^receipts=' "$folder/passwords"; then
  chmod 600 "$folder/passwords"
  echo "receipts=$(openssl rand -hex 24)" >>"$folder/passwords"
  rm -f "$folder/definitions.json"
fi
while IFS== read -r user password; do
  [[ -e $folder/$user-amqp-url ]] || echo "amqp://$user:$password@rabbitmq:5672/%2F" >"$folder/$user-amqp-url"
done <"$folder/passwords"
if [[ ! -e $folder/definitions.json ]]; then
  # Lanes, namespace and type of the queues are in the definitions too.
  variables=()
  for name in WHATSAPP_QUEUE_NAMESPACE WHATSAPP_QUEUE_LANES WHATSAPP_QUEUE_TYPE WHATSAPP_QUEUE_RETENTION_DAYS \
    WHATSAPP_QUEUE_DEDUPE_HOURS; do
    value=${!name:-}
    [[ $value || ! -e .env ]] || value=$(sed -n "s/^$name=//p" .env | tail -n 1)
    [[ -z $value ]] || variables+=(--env "$name=$value")
  done
  docker run --rm --interactive "${variables[@]}" "$image" topology definitions --passwords /dev/stdin \
    <"$folder/passwords" >"$folder/definitions.json.new"
  mv "$folder/definitions.json.new" "$folder/definitions.json"
fi
[[ -e $folder/whatsapp-api-key ]] || : >"$folder/whatsapp-api-key"
[[ -e $folder/webhook-secret ]] || openssl rand -hex 32 >"$folder/webhook-secret"
chmod 444 "$folder"/*-amqp-url "$folder/definitions.json" "$folder/whatsapp-api-key" "$folder/webhook-secret"
chmod 400 "$folder/passwords"
