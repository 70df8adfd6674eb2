# shellcheck shell=sh
# What the scripts share. Sourced, never run; the caller has set -eu.
#
#   MT_TOP    the checkout
#   MT_CACHE  what survives between runs: roots, template data directories

MT_TOP=$(cd "$(dirname "$0")" && while [ ! -e script/packages ]; do
    [ "$PWD" != / ] || exit 1
    cd ..
done && pwd -P) || { echo "$0: not inside a move-tables checkout" >&2; exit 1; }
MT_CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/move-tables
MT_MARK=/.move-tables-root

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# The package list without comments, one name a line.
mt_names() { sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d'; }
mt_packages() { grep -vF '[optional]' "$MT_TOP/script/packages" | mt_names; }
mt_optional_packages() { grep '^[^#].*\[optional\]' "$MT_TOP/script/packages" | mt_names; }

# The root's folder. The name carries a digest of the list, so a changed list
# is a new root and a checkout at an older commit still finds its own.
mt_root() {
    printf '%s/root-%s\n' "$MT_CACHE" "$({ mt_packages; mt_optional_packages; } | sha256sum | cut -c1-12)"
}

# Cheap: does this machine itself look as if it had what the list names?
mt_host_looks_ready() {
    { command -v mysqld || [ -x /usr/sbin/mysqld ]; } >/dev/null 2>&1 &&
        command -v pkg-config >/dev/null 2>&1 &&
        pkg-config --exists mysqlclient
}
