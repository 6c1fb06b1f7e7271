#!/bin/bash
# bench.sh [NAME...]: builds preset release and runs benches (default: all of tests/bench). A bench prints `name value unit` lines
# and exits 1 if it misses a bar of its own; the lines also go to build/bench/NAME.json. What is run: tests/bench/NAME/run
# BUILD_DIR where there is one (any language), else the program bench_NAME.
set -euo pipefail
cd "$(dirname "$0")/.."
build=build/release
names=("$@")
[ $# -gt 0 ] || mapfile -t names < <(find tests/bench -mindepth 2 -maxdepth 2 -name CMakeLists.txt -printf '%h\n' | sort | xargs -rn1 basename)
[ ${#names[@]} -gt 0 ] || { echo "bench: there is nothing in tests/bench" >&2; exit 64; }
mkdir -p build/bench
failed=0
for name in "${names[@]}"; do
    [ -d "tests/bench/$name" ] || { echo "bench: no tests/bench/$name" >&2; exit 64; }
    command="$build/bin/bench_$name"
    [ -x "tests/bench/$name/run" ] && command="tests/bench/$name/run $build"
    echo "==> bench $name" >&2
    rc=0
    $command | tee "build/bench/$name.txt" || rc=$?
    python3 scripts/bench_json.py "$name" $rc <"build/bench/$name.txt" >"build/bench/$name.json"
    [ $rc = 0 ] || { echo "bench $name: exit status $rc (a bar was missed, or it could not run)" >&2; failed=1; }
done
exit $failed
