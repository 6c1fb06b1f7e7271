# gwatt_room(NAME SOURCES... [LINK targets...]): one static library a room, named gwatt_NAME.
function(gwatt_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINK" ${ARGN})
  add_library(gwatt_${name} STATIC ${ROOM_SOURCES})
  target_link_libraries(gwatt_${name} PUBLIC gwatt_options ${ROOM_LINK})
endfunction()

# Everything that is installed: the programs and the drivers, without the tests. gwatt_program(TARGET [DESTINATION]) adds to it.
add_custom_target(gwatt_programs)
function(gwatt_program target)
  add_dependencies(gwatt_programs ${target})
  set(destination ${CMAKE_INSTALL_BINDIR} ${ARGN})
  list(POP_BACK destination last)
  install(TARGETS ${target} RUNTIME DESTINATION ${last})
endfunction()

# gwatt_driver(NAME SOURCES... [LINK targets...]): a plugin NAME.so in the plugin folder; exports gwatt_driver_v1 only.
function(gwatt_driver name)
  cmake_parse_arguments(DRIVER "" "" "SOURCES;LINK" ${ARGN})
  add_library(gwatt_driver_${name} MODULE ${DRIVER_SOURCES})
  target_link_libraries(gwatt_driver_${name} PRIVATE gwatt_options ${DRIVER_LINK})
  set_target_properties(gwatt_driver_${name} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${GWATT_PLUGIN_DIRECTORY}
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  set(map ${PROJECT_SOURCE_DIR}/drivers/abi/exports.map)
  target_link_options(gwatt_driver_${name} PRIVATE -Wl,--exclude-libs,ALL -Wl,--version-script=${map})
  set_property(TARGET gwatt_driver_${name} APPEND PROPERTY LINK_DEPENDS ${map})
  add_dependencies(gwatt_programs gwatt_driver_${name})
  install(TARGETS gwatt_driver_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/gwatt/drivers)
endfunction()

# gwatt_unit_test(ROOM SOURCES... [LINK targets...]): one doctest program a room, one ctest named unit/ROOM.
function(gwatt_unit_test room)
  cmake_parse_arguments(UNIT "" "" "SOURCES;LINK" ${ARGN})
  add_executable(unit_${room} ${UNIT_SOURCES})
  target_link_libraries(unit_${room} PRIVATE gwatt_options gwatt_doctest_main ${UNIT_LINK})
  add_test(NAME unit/${room} COMMAND unit_${room})
  set_tests_properties(unit/${room} PROPERTIES TIMEOUT 120 LABELS unit)
endfunction()

# gwatt_fuzz(NAME SOURCES... [LINK targets...]): a libFuzzer program fuzz_NAME and a ctest fuzz/NAME that runs it for
# $GWATT_FUZZ_SECONDS (20). Its seeds are the folder `corpus` beside it, read only; what it finds stays in the build folder.
add_custom_target(fuzz_targets)
function(gwatt_fuzz name)
  cmake_parse_arguments(FUZZ "" "" "SOURCES;LINK" ${ARGN})
  add_executable(fuzz_${name} ${FUZZ_SOURCES})
  target_link_libraries(fuzz_${name} PRIVATE gwatt_options ${FUZZ_LINK})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzz_targets fuzz_${name})
  set(grown ${PROJECT_BINARY_DIR}/corpus/${name})
  file(MAKE_DIRECTORY ${grown} ${PROJECT_BINARY_DIR}/findings)
  add_test(NAME fuzz/${name}
    COMMAND sh -c "exec \"$@\" -max_total_time=\${GWATT_FUZZ_SECONDS:-20}" fuzz $<TARGET_FILE:fuzz_${name}>
      -timeout=5 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 -artifact_prefix=${PROJECT_BINARY_DIR}/findings/${name}-
      ${grown} ${CMAKE_CURRENT_SOURCE_DIR}/corpus)
  set_tests_properties(fuzz/${name} PROPERTIES TIMEOUT 3600 LABELS fuzz)
endfunction()

# gwatt_bench(NAME SOURCES... [LINK targets...]): a program bench_NAME that prints `name value unit` lines and exits 1 where it
# misses a bar of its own. `./dev bench NAME` runs it, or tests/bench/NAME/run where a bench needs more than one program.
add_custom_target(bench_targets)
function(gwatt_bench name)
  cmake_parse_arguments(BENCH "" "" "SOURCES;LINK" ${ARGN})
  add_executable(bench_${name} ${BENCH_SOURCES})
  target_link_libraries(bench_${name} PRIVATE gwatt_options ${BENCH_LINK})
  add_dependencies(bench_targets bench_${name})
endfunction()
