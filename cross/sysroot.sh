#!/bin/bash
# sysroot.sh ARCH: Debian's libraries for ARCH (armhf, arm64) in sysroot/ARCH, unpacked by mmdebstrap: no foreign packages on
# the host, no maintainer scripts, no emulator. Made again only when the package list changes.
set -euo pipefail
cd "$(dirname "$0")/.."
arch=$1
suite=bookworm
target=sysroot/$arch
packages=$(sed 's/#.*//' cross/sysroot-packages.txt | xargs | tr ' ' ',')
stamp="$suite $arch $packages"

if [ "$(cat "$target/.stamp" 2>/dev/null || true)" = "$stamp" ]; then
    echo "sysroot: $target is up to date"
    exit 0
fi

# The mirror that this machine's apt already uses for the suite.
mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(CREATED_BY)' 'Created-By: Packages' |
    awk -v suite=$suite '$2 == suite { print $1; exit }')
if [ -z "$mirror" ]; then
    echo "sysroot: no apt source for Debian $suite on this machine; add one, or set GWATT_DEBIAN_MIRROR" >&2
    [ -n "${GWATT_DEBIAN_MIRROR:-}" ] || exit 69
fi
mirror=${GWATT_DEBIAN_MIRROR:-$mirror}

mode=root
[ "$(id -u)" = 0 ] || mode=unshare
echo "sysroot: unpacking $arch packages into $target ($packages)"
rm -rf "$target" "$target.new"
mkdir -p "$target.new"
mmdebstrap --quiet --mode=$mode --variant=extract --architectures="$arch" --include="$packages" \
    --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --aptopt='APT::Install-Recommends "false"' --components=main \
    $suite - "$mirror" | tar -x -C "$target.new" --no-same-owner --exclude='./dev/*' --exclude='./var/cache/*' --exclude='./usr/share/doc/*'
# Absolute links point into the host; CMake and the linker follow them inside the sysroot only when they are relative.
find "$target.new" -type l -lname '/*' -printf '%p\t%l\n' | while IFS=$'\t' read -r link to; do
    ln -sfnr "$target.new$to" "$link"
done
echo "$stamp" >"$target.new/.stamp"
mv "$target.new" "$target"
du -sh "$target" | sed 's/^/sysroot: /'
