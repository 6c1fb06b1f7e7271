# AST2600-class rack controllers: Cortex-A7, hard float, VFPv4 with 16 registers. No NEON: the part may lack it.
# Needs cross/sysroot.sh armhf first; `./dev cross armhf` does both.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
get_filename_component(GWATT_SYSROOT ${CMAKE_CURRENT_LIST_DIR}/../sysroot/armhf ABSOLUTE)
if(NOT EXISTS ${GWATT_SYSROOT}/.stamp)
  message(FATAL_ERROR "No sysroot in ${GWATT_SYSROOT}: run ./dev cross armhf, or cross/sysroot.sh armhf")
endif()
set(CMAKE_SYSROOT ${GWATT_SYSROOT})
set(CMAKE_C_COMPILER arm-linux-gnueabihf-gcc)
set(CMAKE_CXX_COMPILER arm-linux-gnueabihf-g++)
set(CMAKE_LIBRARY_ARCHITECTURE arm-linux-gnueabihf)
set(CMAKE_C_FLAGS_INIT "-mcpu=cortex-a7 -mfpu=vfpv4-d16 -mfloat-abi=hard")
set(CMAKE_CXX_FLAGS_INIT "-mcpu=cortex-a7 -mfpu=vfpv4-d16 -mfloat-abi=hard -Wno-psabi")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)  # protoc is the host's, of the same version
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# neon=off refuses NEON as the board does; qemu's default CPU would hide it.
set(CMAKE_CROSSCOMPILING_EMULATOR "qemu-arm;-cpu;cortex-a7,neon=off;-L;${GWATT_SYSROOT}")
