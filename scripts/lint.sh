#!/bin/bash
# lint.sh [--fix] [--tidy [FILE...]]: formatting and scripts over the whole tree, the layers; with --tidy also clang-tidy over
# the named files (default: all that the dev build compiles). --fix formats instead of complaining.
set -euo pipefail
cd "$(dirname "$0")/.."
fix=0 tidy=0 files=()
for word in "$@"; do
    case $word in
        --fix) fix=1 ;;
        --tidy) tidy=1 ;;
        -*) echo "lint: unknown option $word" >&2; exit 64 ;;
        *) files+=("$word") ;;
    esac
done
failed=0

mapfile -t sources < <(git ls-files -co --exclude-standard -- '*.c' '*.h' '*.cpp' '*.hpp')
if [ $fix = 1 ]; then
    clang-format -i "${sources[@]}"
else
    clang-format --dry-run -Werror "${sources[@]}" || { echo "lint: formatting differs; ./dev lint --fix mends it"; failed=1; }
fi
echo "lint: ${#sources[@]} sources looked at by clang-format"

mapfile -t shells < <(git ls-files -co --exclude-standard -- dev .ci/run '*.sh')
shellcheck -x --severity=warning "${shells[@]}" || failed=1
echo "lint: ${#shells[@]} scripts looked at by shellcheck"

python3 tests/layers/check_layers.py . || failed=1

if [ $tidy = 1 ]; then
    [ -f build/dev/compile_commands.json ] || { echo "lint: clang-tidy needs the dev build: ./dev build" >&2; exit 69; }
    if [ ${#files[@]} = 0 ]; then
        mapfile -t files < <(python3 -c 'import json, os
for entry in json.load(open("build/dev/compile_commands.json")):
    path = os.path.relpath(entry["file"])
    if not path.startswith(("build/", "..")) and path.endswith(".cpp"): print(path)' | sort -u)
    fi
    echo "lint: clang-tidy over ${#files[@]} files"
    printf '%s\n' "${files[@]}" | xargs -P "${GWATT_JOBS:-$(nproc)}" -n 1 \
        clang-tidy -p build/dev --quiet --warnings-as-errors='*' 2> >(grep -v 'warnings generated\|Suppressed\|Use -header-filter' >&2) || failed=1
fi
exit $failed
