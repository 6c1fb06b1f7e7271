#!/bin/bash
# check.sh ARCH: that what the cross build made is for the board it is meant for. armhf: ARM, hard float, VFPv4 with 16
# registers, and no NEON, which Cortex-A7 boards such as the AST2600 may lack (an illegal instruction at run time).
set -euo pipefail
cd "$(dirname "$0")/.."
arch=$1
readelf=arm-linux-gnueabihf-readelf machine=ARM
[ "$arch" = arm64 ] && readelf=aarch64-linux-gnu-readelf machine=AArch64
count=0
while IFS= read -r -d '' file; do
    "$readelf" -h "$file" | grep -q "Machine: *$machine" || { echo "check: $file is not for $machine" >&2; exit 1; }
    if [ "$arch" = armhf ]; then
        attributes=$("$readelf" -A "$file")
        if grep -q 'Advanced_SIMD' <<<"$attributes"; then echo "check: NEON in $file" >&2; exit 1; fi
        grep -q 'Tag_FP_arch: VFPv4-D16' <<<"$attributes" || { echo "check: $file: FP is not vfpv4-d16" >&2; exit 1; }
        grep -q 'VFP registers' <<<"$attributes" || { echo "check: $file: not hard float" >&2; exit 1; }
    fi
    count=$((count + 1))
done < <(find "build/$arch/bin" "build/$arch/plugins" -type f -perm -u+x -print0 2>/dev/null)
# The runner is what each bus costs: libc only.
needed=$("$readelf" -d "build/$arch/bin/gwatt-driver" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | { grep -v '^libc\.so' || true; } | xargs)
[ -z "$needed" ] || { echo "check: gwatt-driver links more than libc: $needed" >&2; exit 1; }
[ $count -gt 0 ] || { echo "check: nothing was built for $arch" >&2; exit 1; }
echo "check: $count binaries are for $arch${machine:+ ($machine)}$([ "$arch" = armhf ] && echo ', vfpv4-d16, no NEON')"
