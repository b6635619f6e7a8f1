#!/bin/sh
# policies.sh - the shipped policies: no error, no note, and every case of tests/policies
# decides as it says.
set -eu
cd "$(dirname "$0")/../.."
[ -x build/keepctl ] || { echo "policies: build/keepctl is not there, run make first"; exit 1; }
notes=$(build/keepctl policy lint --quiet schema/policies/*.yaml)
[ -z "$notes" ] || { printf '%s\n' "$notes"; exit 1; }
cases=$(build/keepctl policy test tests/policies 2>&1) || { printf '%s\n' "$cases" | grep -v '^ok '; exit 1; }
echo "policies: $(printf '%s\n' "$cases" | tail -n 1)"
