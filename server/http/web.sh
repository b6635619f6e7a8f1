#!/bin/sh
# Usage: web.sh WEB OUT > OUT/web.c
# Turns the files of WEB into a C table (see static.h): each as it is and, where
# that is smaller, gzip and brotli coded in OUT/web.  Reproducible: no times, no
# names inside, sorted.  Without a WEB folder the table is empty.
set -eu
LC_ALL=C; export LC_ALL
web=$1 out=$2/web
rm -rf "$out"; mkdir -p "$out"

type_of() {
    case $1 in
    *.html) echo 'text/html; charset=utf-8' ;;
    *.css)  echo 'text/css; charset=utf-8' ;;
    *.js|*.mjs) echo 'text/javascript; charset=utf-8' ;;
    *.json|*.map) echo 'application/json' ;;
    *.webmanifest) echo 'application/manifest+json' ;;
    *.svg)  echo 'image/svg+xml' ;;
    *.txt)  echo 'text/plain; charset=utf-8' ;;
    *.png)  echo 'image/png' ;;
    *.ico)  echo 'image/x-icon' ;;
    *.woff2) echo 'font/woff2' ;;
    *) echo "web.sh: $1: no content type for this name" >&2; exit 1 ;;
    esac
}

# Names that change with their content may be kept for ever.
is_immutable() {
    case $1 in /vendor/*) return 0 ;; esac
    printf '%s\n' "$1" | grep -Eq '[.-][0-9a-f]{8,}\.[a-z0-9]+$'
}

size() { wc -c <"$1" | tr -d ' '; }

blob() {    # symbol, file: prints the assembler for one form
    printf '__asm__(".section .rodata\\n%s:\\n.incbin \\"%s\\"\\n.byte 0\\n.previous\\n");\n' "$1" "$2"
    printf 'extern const unsigned char %s[] __attribute__((visibility("hidden")));\n' "$1"
}

form() {    # symbol, file, size limit: prints a table cell, "{ 0 }" when not smaller
    n=$(size "$2")
    if [ "$n" -lt "$3" ]; then printf '{ %s, %s }' "$1" "$n"; else printf '{ 0, 0 }'; fi
}

printf '/* Made by server/http/web.sh. */\n#include "http/static.h"\n\n'
rows=$out/rows; : >"$rows"
i=0
if [ -d "$web" ]; then
    (cd "$web" && find . -type f ! -name '.*' ! -name 'README*' | sed 's|^\.||' | sort) >"$out/names"
else
    : >"$out/names"
fi
while read -r name; do
    case $name in *[!A-Za-z0-9./_-]*) echo "web.sh: $name: unusual name" >&2; exit 1 ;; esac
    type=$(type_of "$name")
    gzip -9nc "$web$name" >"$out/$i.gz"
    brotli -q 11 -c "$web$name" >"$out/$i.br"
    blob "web_${i}_id" "$web$name"
    blob "web_${i}_gz" "$out/$i.gz"
    blob "web_${i}_br" "$out/$i.br"
    n=$(size "$web$name")
    hash=$(sha256sum <"$web$name" | cut -c1-32)
    immutable=false; if is_immutable "$name"; then immutable=true; fi
    {
        printf '    { "%s", "%s", "\\"%s\\"", { { web_%s_id, %s }, ' "$name" "$type" "$hash" "$i" "$n"
        form "web_${i}_gz" "$out/$i.gz" "$n"; printf ', '
        form "web_${i}_br" "$out/$i.br" "$n"
        printf ' }, %s },\n' "$immutable"
    } >>"$rows"
    i=$((i + 1))
done <"$out/names"
printf '\nconst struct web_file web_files[] = {\n'
cat "$rows"
[ "$i" -gt 0 ] || printf '    { 0 },\n'
printf '};\nconst size_t n_web_files = %s;\n' "$i"
