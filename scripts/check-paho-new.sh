#!/bin/bash
# Proves that the MQTT link builds and passes its tests with a newer Paho than this Debian's (1.2): takes the library of a
# later suite into a folder, builds tests/integration/mqtt_link against its headers and runs it with that suite's libc.
# usage: scripts/check-paho-new.sh [SUITE]     SUITE: trixie (default), forky, sid. Exit 77: the suite cannot be had here.
set -euo pipefail
cd "$(dirname "$0")/.."
suite=${1:-trixie}
base=$PWD/build/paho-$suite
root=$base/root
arch=$(dpkg-architecture -qDEB_HOST_MULTIARCH)

skip() { echo "check-paho-new: skipped: $*" >&2; exit 77; }

fetch() {
    [ -e "$root/usr/include/mqtt/async_client.h" ] && return
    command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed"
    # shellcheck disable=SC2016 # apt's own format
    mirror=$(apt-get indextargets --format '$(LABEL)|$(REPO_URI)' 'Created-By: Packages' | awk -F'|' '$1 == "Debian" { print $2; exit }')
    [ -n "$mirror" ] || skip "this machine's apt knows no Debian mirror"
    rm -rf "$root"
    mkdir -p "$base"
    mmdebstrap --variant=extract --include=libpaho-mqttpp-dev,libpaho-mqtt-dev,libc6,libssl3t64,libstdc++6,libgcc-s1 \
        "$suite" "$root" "$mirror" >"$base/mmdebstrap.log" 2>&1 || skip "$suite cannot be had from $mirror: $(tail -n 1 "$base/mmdebstrap.log")"
}

# Only Paho's headers: the suite's libc headers must not meet this compiler.
package() {
    rm -rf "$base/include" "$base/cmake"
    mkdir -p "$base/include" "$base/cmake"
    cp -r "$root"/usr/include/mqtt "$root"/usr/include/MQTT*.h "$base/include/"
    cat >"$base/cmake/PahoMqttCppConfig.cmake" <<CMAKE
add_library(PahoMqttCpp::paho-mqttpp3 SHARED IMPORTED)
set_target_properties(PahoMqttCpp::paho-mqttpp3 PROPERTIES
  IMPORTED_LOCATION "$root/usr/lib/$arch/libpaho-mqttpp3.so"
  INTERFACE_INCLUDE_DIRECTORIES "$base/include"
  INTERFACE_LINK_LIBRARIES "$root/usr/lib/$arch/libpaho-mqtt3as.so"
  INTERFACE_LINK_OPTIONS "-Wl,--allow-shlib-undefined")
CMAKE
}

fetch
package
for library in "$root/usr/lib/$arch"/libpaho-mqtt{pp3,3as}.so.*.*; do echo "check-paho-new: ${library##*/}"; done
launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
cmake -S . -B "$base/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DPahoMqttCpp_DIR="$base/cmake" "${launcher[@]}" >"$base/cmake.log"
ninja -C "$base/build" integration_mqtt_link
loaders=("$root/usr/lib/$arch"/ld-linux*.so.*)
exec "${loaders[0]}" --library-path "$root/usr/lib/$arch:/usr/lib/$arch" "$base/build/bin/integration_mqtt_link"
