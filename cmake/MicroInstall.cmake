# Installs every component, the programs and the CMake package `micro`, so that another project can say
#
#   find_package(micro REQUIRED)
#   micro_generate(...)                                # cmake/MicroGenerate.cmake
#   target_link_libraries(app PRIVATE micro::service)
#
# Warnings and sanitizers of this build are not part of what is exported: see MicroSettings.cmake.

option(MICRO_INSTALL "Install micro with the project" ${PROJECT_IS_TOP_LEVEL})
if(NOT MICRO_INSTALL)
  return()
endif()

include(CMakePackageConfigHelpers)

set(MICRO_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/micro")

# Appends to <list> the libraries of this build that <target> links, directly or not (generated protobuf code, for example): a
# static library is of no use without them. They stay out of sight: no headers, no warnings flags.
function(_micro_private_libraries target list)
  set(found ${${list}})
  foreach(property LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
    get_target_property(items ${target} ${property})
    foreach(item IN LISTS items)
      if(NOT TARGET "${item}")
        continue()
      endif()
      get_target_property(aliased ${item} ALIASED_TARGET)
      if(aliased)
        set(item ${aliased})
      endif()
      get_target_property(imported ${item} IMPORTED)
      get_target_property(layer ${item} MICRO_LAYER)
      if(imported OR layer OR item STREQUAL "micro_warnings" OR item IN_LIST found)
        continue()
      endif()
      list(APPEND found ${item})
      _micro_private_libraries(${item} found)
    endforeach()
  endforeach()
  set(${list} ${found} PARENT_SCOPE)
endfunction()

function(_micro_hide target)
  foreach(property INTERFACE_INCLUDE_DIRECTORIES INTERFACE_SYSTEM_INCLUDE_DIRECTORIES)
    get_target_property(dirs ${target} ${property})
    if(dirs)
      set_target_properties(${target} PROPERTIES ${property} "$<BUILD_INTERFACE:${dirs}>")
    endif()
  endforeach()
  foreach(property LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
    get_target_property(items ${target} ${property})
    if(items)
      list(TRANSFORM items REPLACE "^(.*<LINK_ONLY:)?micro_warnings>?$" "$<BUILD_INTERFACE:micro_warnings>")
      set_target_properties(${target} PROPERTIES ${property} "${items}")
    endif()
  endforeach()
endfunction()

get_property(components GLOBAL PROPERTY MICRO_COMPONENTS)
set(targets)
set(helpers)
foreach(component IN LISTS components)
  list(APPEND targets micro_${component})
  _micro_private_libraries(micro_${component} helpers)
endforeach()
foreach(helper IN LISTS helpers)
  _micro_hide(${helper})
endforeach()
install(TARGETS ${targets} ${helpers} EXPORT microTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")

# The interface files of google.api.http and the library made of them, apart from headers of the same name that others install.
set(MICRO_PROTO_INSTALL_DIR "${CMAKE_INSTALL_INCLUDEDIR}/micro-protos")
get_property(proto_dir GLOBAL PROPERTY MICRO_PROTO_DIR)
install(TARGETS micro_http_annotations EXPORT microTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  FILE_SET HEADERS DESTINATION "${MICRO_PROTO_INSTALL_DIR}")
install(DIRECTORY "${proto_dir}/" DESTINATION "${MICRO_PROTO_INSTALL_DIR}" FILES_MATCHING PATTERN "*.proto")

foreach(program protoc-gen-micro micro-tool)
  if(TARGET ${program})
    install(TARGETS ${program} EXPORT microTargets RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
endforeach()

install(EXPORT microTargets NAMESPACE micro:: DESTINATION "${MICRO_PACKAGE_DIR}")
get_property(plugins GLOBAL PROPERTY MICRO_PLUGINS)
set(MICRO_NEEDS_CARES FALSE)
if("dns" IN_LIST plugins)
  set(MICRO_NEEDS_CARES TRUE)
endif()
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/microConfig.cmake.in" "${PROJECT_BINARY_DIR}/package/microConfig.cmake"
  INSTALL_DESTINATION "${MICRO_PACKAGE_DIR}"
  PATH_VARS MICRO_PROTO_INSTALL_DIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/package/microConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/package/microConfig.cmake" "${PROJECT_BINARY_DIR}/package/microConfigVersion.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/MicroGenerate.cmake" DESTINATION "${MICRO_PACKAGE_DIR}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
