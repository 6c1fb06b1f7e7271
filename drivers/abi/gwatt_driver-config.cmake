# gwatt_add_driver(NAME sources...): a plugin NAME.so that exports gwatt_driver_v1 and nothing else.
include(${CMAKE_CURRENT_LIST_DIR}/gwatt_driver_targets.cmake)
set(GWATT_DRIVER_EXPORTS ${CMAKE_CURRENT_LIST_DIR}/exports.map)

function(gwatt_add_driver name)
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE gwatt_driver::abi)
  target_compile_features(${name} PRIVATE cxx_std_20 c_std_11)
  target_link_options(${name} PRIVATE -Wl,--exclude-libs,ALL -Wl,--version-script=${GWATT_DRIVER_EXPORTS})
  set_target_properties(${name} PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
endfunction()
