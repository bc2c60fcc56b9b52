# micro_plugin(<name> [REQUIRES <target>...] [SUMMARY <text>] <arguments of micro_component but LAYER>)
#
# A component of the layer `plugin`: one product, in a folder of its own in plugins/, that offers
#
#   namespace micro::<name> { void install(Plugins& plugins); }      in <micro/<name>/install.hpp>
#
# The option MICRO_PLUGIN_<NAME> decides: AUTO (the default) builds it when every target in REQUIRES exists, ON insists, OFF leaves
# it out. The end of the configure says what is built and why the rest is not.
#
# micro_plugins_library() then makes micro::plugins, with install_plugins() for all that are built.

define_property(GLOBAL PROPERTY MICRO_PLUGINS BRIEF_DOCS "The plugins that are built, in order")
define_property(GLOBAL PROPERTY MICRO_PLUGINS_LEFT_OUT BRIEF_DOCS "The others, each with the reason")

function(micro_plugin name)
  # The others are named so that a list ends where the next begins.
  set(lists DEPENDS PRIVATE_DEPENDS LIBRARIES PRIVATE_LIBRARIES TEST_DEPENDS TEST_LIBRARIES)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "REQUIRES;${lists}")
  string(TOUPPER "MICRO_PLUGIN_${name}" option)
  set(${option} AUTO CACHE STRING "Build the plugin ${name}: AUTO, ON or OFF")
  set_property(CACHE ${option} PROPERTY STRINGS AUTO ON OFF)
  if(NOT ${option} MATCHES "^(AUTO|ON|OFF)$")
    message(FATAL_ERROR "${option}=${${option}}: expected AUTO, ON or OFF")
  endif()
  if(${option} STREQUAL OFF)
    set_property(GLOBAL APPEND PROPERTY MICRO_PLUGINS_LEFT_OUT "${name} (${option}=OFF)")
    return()
  endif()
  foreach(target IN LISTS ARG_REQUIRES)
    if(TARGET ${target})
      continue()
    endif()
    if(${option} STREQUAL ON)
      message(FATAL_ERROR "${option}=ON, but ${target} was not found; docs/reference/dependencies.md names the package")
    endif()
    set_property(GLOBAL APPEND PROPERTY MICRO_PLUGINS_LEFT_OUT "${name} (no ${target})")
    return()
  endforeach()
  set(arguments ${ARG_UNPARSED_ARGUMENTS})
  foreach(list IN LISTS lists)
    if(ARG_${list})
      list(APPEND arguments ${list} ${ARG_${list}})
    endif()
  endforeach()
  micro_component(${name} LAYER plugin ${arguments})
  set_property(GLOBAL APPEND PROPERTY MICRO_PLUGINS ${name})
endfunction()

# For programs that take what there is: `micro::install_plugins(plugins)` from <micro/plugins/install.hpp>.
function(micro_plugins_library)
  get_property(names GLOBAL PROPERTY MICRO_PLUGINS)
  get_property(left_out GLOBAL PROPERTY MICRO_PLUGINS_LEFT_OUT)
  set(includes "")
  set(calls "")
  foreach(name IN LISTS names)
    string(APPEND includes "#include <micro/${name}/install.hpp>\n")
    string(APPEND calls "  ${name}::install(plugins);\n")
  endforeach()
  configure_file("${CMAKE_CURRENT_SOURCE_DIR}/install.cpp.in" "${CMAKE_CURRENT_BINARY_DIR}/install.cpp" @ONLY)
  add_library(micro_plugins STATIC "${CMAKE_CURRENT_BINARY_DIR}/install.cpp")
  add_library(micro::plugins ALIAS micro_plugins)
  target_sources(micro_plugins PUBLIC FILE_SET HEADERS BASE_DIRS include FILES include/micro/plugins/install.hpp)
  list(TRANSFORM names PREPEND micro_ OUTPUT_VARIABLE targets)
  target_link_libraries(micro_plugins PUBLIC micro_plugin PRIVATE ${targets} $<BUILD_INTERFACE:micro_warnings>)
  # Of the layer app to others: no plugin may know it.
  set_target_properties(micro_plugins PROPERTIES MICRO_LAYER app EXPORT_NAME plugins VERIFY_INTERFACE_HEADER_SETS ON)
  set_property(GLOBAL APPEND PROPERTY MICRO_COMPONENTS plugins)
  list(JOIN names ", " built)
  list(JOIN left_out ", " missing)
  message(STATUS "Plugins: ${built}")
  if(left_out)
    message(STATUS "Plugins left out: ${missing}")
  endif()
endfunction()
