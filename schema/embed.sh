#!/bin/sh
# Turns schema/policies/NAME.yaml (arguments, in order) into the C array of
# shipped policies (core/shipped.h).
set -eu
echo '/* Generated from schema/policies/ by schema/embed.sh. */'
echo '#include "core/shipped.h"'
echo 'const struct shipped_policy shipped_policies[] = {'
for file in "$@"; do
    printf '    { "%s",\n' "$(basename "$file" .yaml)"
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/        "/' -e 's/$/\\n"/' "$file"
    printf '        , %s },\n' "$(grep -q '^# disabled' "$file" && echo false || echo true)"
done
echo '};'
echo "const size_t n_shipped_policies = $#;"
