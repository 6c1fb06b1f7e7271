# shellcheck shell=bash disable=SC2154  # root, say: of ./dev
# Sourced by ./dev: installs Debian packages by name, and only those that are missing.
# packages_need GROUP...  groups are the headings of packages.txt.

packages_of() {  # names of the given groups, once each
    awk -v wanted=" $* " '
        { sub(/#.*/, ""); gsub(/[ \t]+$/, "") }
        /^\[/ { group = substr($0, 2, length($0) - 2); next }
        NF && index(wanted, " " group " ") && !seen[$1]++ { print $1 }' "$root/scripts/packages.txt"
}

packages_missing() {
    local name
    for name in $(packages_of "$@"); do
        dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || echo "$name"
    done
}

packages_need() {
    [ "${GWATT_SKIP_PACKAGES:-}" = 1 ] && return 0
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "This is not Debian: ./dev installs packages with apt only. What it would have installed ($*):"
        packages_of "$@" | tr '\n' ' ' >&2
        say "Install their like, then run again with GWATT_SKIP_PACKAGES=1; or use the presets: cmake --preset dev"
        return 69
    fi
    local missing
    missing=$(packages_missing "$@" | tr '\n' ' ')
    [ -z "$missing" ] && return 0
    # shellcheck disable=SC1091
    (. /etc/os-release && [ "${ID:-}${VERSION_ID:-}" = debian12 ]) ||
        say "Note: gwatt is built and tested on Debian 12; here package names and versions may differ."
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null; then
            say "Not root and no sudo. As root, run: apt-get install --no-install-recommends $missing"
            return 77
        fi
        as_root=(sudo)
    fi
    say "Installing from Debian: $missing"
    case " $missing " in *" mosquitto "*)
        say "(Debian's mosquitto package may start its own service on port 1883; nothing here uses it.)" ;;
    esac
    if [ -z "${packages_updated:-}" ]; then
        "${as_root[@]}" apt-get -q update || say "apt-get update reported errors; going on with the lists there are."
        packages_updated=1
    fi
    # shellcheck disable=SC2086
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $missing </dev/null
}
