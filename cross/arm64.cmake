# 64-bit ARM boards (Cortex-A53 and later).
# Needs cross/sysroot.sh arm64 first; `./dev cross arm64` does both.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
get_filename_component(GWATT_SYSROOT ${CMAKE_CURRENT_LIST_DIR}/../sysroot/arm64 ABSOLUTE)
if(NOT EXISTS ${GWATT_SYSROOT}/.stamp)
  message(FATAL_ERROR "No sysroot in ${GWATT_SYSROOT}: run ./dev cross arm64, or cross/sysroot.sh arm64")
endif()
set(CMAKE_SYSROOT ${GWATT_SYSROOT})
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_C_FLAGS_INIT "-mcpu=cortex-a53")
set(CMAKE_CXX_FLAGS_INIT "-mcpu=cortex-a53")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)  # protoc is the host's, of the same version
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_CROSSCOMPILING_EMULATOR "qemu-aarch64;-cpu;cortex-a53;-L;${GWATT_SYSROOT}")
