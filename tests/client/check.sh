# Runs a front end in miniature, and schemathesis, against the local cloud that the environment names: check.sh <schemathesis>
set -eu -o pipefail

node tests/client/built/desk.js
"$(dirname "$1")/python" tests/client/two_factor.py

# Examples and coverage are the same whatever the machine; random requests, which are as many as it is fast, are asked for by hand: PHASES=fuzzing.
# What ends the session that everything else is asked in is left out. An empty filter is none, which the check of refusals does not know. Methods that no route has are the gateway's: it answers 404.
SCHEMATHESIS_HOOKS=tests.client.checks PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1 "$1" --config-file tests/client/schemathesis.toml run openapi.json \
  --url "$BALCAO_API" \
  --header "Authorization: Bearer $BALCAO_TOKEN" \
  --exclude-operation-id logout \
  --phases "${PHASES:-examples,coverage}" \
  --checks all \
  --exclude-checks unsupported_method,positive_data_acceptance,negative_data_rejection \
  --mode all \
  --seed "${SEED:-20261122}" \
  --max-examples 15 \
  --max-time 300 \
  --workers 1 \
  --no-shrink \
  --continue-on-failure \
  --warnings off
