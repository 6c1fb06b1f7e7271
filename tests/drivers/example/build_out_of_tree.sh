#!/bin/sh
# Installs the package gwatt_driver, builds the drivers of out_of_tree against it alone, and has them checked.
# usage: build_out_of_tree.sh BUILD_FOLDER SOURCE CMAKE CHECK WORK_FOLDER
set -eu
build=$1 source=$2 cmake=$3 check=$4 work=$5
rm -rf "$work"
mkdir -p "$work"
"$cmake" --install "$build" --prefix "$work/prefix" --component driver_sdk
"$cmake" -S "$source" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_BUILD_TYPE=Release
"$cmake" --build "$work/build"
echo 1234.5 >"$work/watts"
"$check" "$work/build/wattfile.so" "file=$work/watts"
"$check" "$work/build/wattfile.so" "file=$work/nothing"   # does not open: leaves nothing behind
"$check" "$work/build/constant.so"
"$check" --help "$work/build/wattfile.so"
