#!/bin/sh
# build.sh can                 two lines, of the walls and of nftables: "yes", or why they cannot be built here
# build.sh DIR CLANG ARCH      makes DIR/built.h and, where possible, DIR/wall.skel.h;
#                              never fails: an agent without walls is an agent
set -u
here=$(dirname "$0")
PATH=$PATH:/usr/sbin:/sbin
btf=${KEEP_BTF:-/sys/kernel/btf/vmlinux}

can() {
    [ -r "$btf" ] || { echo "no BTF of the kernel at $btf"; return; }
    command -v clang >/dev/null || { echo "no clang"; return; }
    command -v bpftool >/dev/null || { echo "no bpftool"; return; }
    pkg-config --exists libbpf 2>/dev/null || { echo "no libbpf-dev"; return; }
    echo yes
}

# Where cgroup programs cannot be attached: nftables.
nft() { pkg-config --exists libnftables 2>/dev/null && echo yes || echo "no libnftables-dev"; }

[ "$1" != can ] || { can; nft; exit 0; }

dir=$1 why=$(can)
mkdir -p "$dir"
log=$dir/wall.log
if [ "$why" = yes ]; then
    case $(uname -m) in x86_64) arch=x86 ;; aarch64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
    if ! bpftool btf dump file "$btf" format c >"$dir/vmlinux.h" 2>"$log"; then
        why="bpftool cannot read $btf"
    elif ! clang -O2 -g -target bpf "-D__TARGET_ARCH_$arch" -Wall -Werror -I"$dir" -I"$here/../.." -c "$here/wall.bpf.c" -o "$dir/wall.bpf.o" 2>>"$log"; then
        why="clang cannot compile wall.bpf.c here, see $log"
    elif command -v llvm-strip >/dev/null && ! llvm-strip -g "$dir/wall.bpf.o" 2>>"$log"; then
        why="llvm-strip cannot take the debug sections away"
    elif ! { echo '#pragma GCC system_header'; bpftool gen skeleton "$dir/wall.bpf.o" name wall_bpf 2>>"$log"; } >"$dir/wall.skel.h"; then
        why="bpftool cannot make a skeleton, see $log"
    fi
fi
if [ "$why" = yes ]; then
    echo '#define KEEP_WALL_BUILT 1' >"$dir/built.h.tmp"
else
    echo "walls: not built into keep-agent ($why); what they need: sh .ci/deps walls" >&2
    printf '#define KEEP_WALL_WHY_NOT "not built in: %s"\n' "$why" >"$dir/built.h.tmp"
fi
if [ "$(nft)" = yes ]; then
    echo '#define KEEP_WALL_NFT 1' >>"$dir/built.h.tmp"
else
    [ "$why" != yes ] || echo "walls: no fallback by nftables ($(nft)); what it needs: sh .ci/deps walls" >&2
    printf '#define KEEP_NFT_WHY_NOT "not built in: %s"\n' "$(nft)" >>"$dir/built.h.tmp"
fi
mv "$dir/built.h.tmp" "$dir/built.h"
