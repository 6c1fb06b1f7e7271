# What every target here is compiled with. GWATT_SANITIZE is a comma list for -fsanitize (address,undefined or thread).
set(GWATT_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize takes them")

add_library(gwatt_options INTERFACE)
target_compile_options(gwatt_options INTERFACE
  -Wall -Wextra -Werror -Wpedantic $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> -Wcast-align -fno-math-errno
  -ffp-contract=off  # no fused multiply-add: a value has the same bits on x86, armhf and arm64
  -ffunction-sections -fdata-sections)
# GCC 12 reports uninitialised members and mismatched new and delete inside coroutine frames it made itself; and, at -O3,
# overlap in std::string assignment (gcc.gnu.org bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(gwatt_options INTERFACE -Wno-maybe-uninitialized $<$<COMPILE_LANGUAGE:CXX>:-Wno-mismatched-new-delete> -Wno-restrict)
endif()
target_link_options(gwatt_options INTERFACE -Wl,--gc-sections -Wl,--as-needed)
target_include_directories(gwatt_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(gwatt_options INTERFACE GWATT_VERSION="${PROJECT_VERSION}")
if(CMAKE_SIZEOF_VOID_P EQUAL 4)  # else readdir fails with EOVERFLOW where inode numbers are large (overlay, network)
  target_compile_definitions(gwatt_options INTERFACE _FILE_OFFSET_BITS=64)
endif()
if(GWATT_FUZZ)
  target_compile_options(gwatt_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
# TSan does not see atomic_thread_fence, and GCC says so of each of Asio's; its locks are what orders things.
if(GWATT_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(gwatt_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-tsan>)
endif()
if(GWATT_SANITIZE)
  target_compile_options(gwatt_options INTERFACE -fsanitize=${GWATT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(gwatt_options INTERFACE -fsanitize=${GWATT_SANITIZE})
  # Clang 14 cannot put its check of function pointers into coroutines: "Cannot represent a difference across sections".
  target_compile_options(gwatt_options INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-fno-sanitize=function>)
endif()
