# micro_component(<name> LAYER <layer>
#                 [DEPENDS <component>...]            components whose headers our public headers include
#                 [PRIVATE_DEPENDS <component>...]    components only our sources use
#                 [PRIVATE_LIBRARIES <target>...]     third-party targets; never in a public header
#                 [LIBRARIES <target>...]             third-party targets a public header needs (protobuf in codecs only)
#                 [TEST_DEPENDS <component>...] [TEST_LIBRARIES <target>...])
#
# Makes the static library micro::<name> from src/*.cpp with the public headers include/micro/<name>/*.hpp as a FILE_SET of
# their own. src/*_test.cpp become the test program <name>_test, src/*_bench.cpp the benchmark <name>_bench.
#
# The layering of ARCHITECTURE.md is enforced here: configuring stops when a component names one of a layer it may not know,
# or one that is not declared yet (so cycles are impossible). What is not linked cannot be included.

set(MICRO_LAYERS base runtime observe policy ports protocols rpc app plugin)
set(MICRO_MAY_KNOW_base base)
set(MICRO_MAY_KNOW_runtime base runtime)
set(MICRO_MAY_KNOW_observe base runtime observe)
set(MICRO_MAY_KNOW_policy base policy)
set(MICRO_MAY_KNOW_ports base runtime observe policy ports)
set(MICRO_MAY_KNOW_protocols base runtime observe policy ports protocols)
set(MICRO_MAY_KNOW_rpc base runtime observe policy ports protocols rpc)
set(MICRO_MAY_KNOW_app base runtime observe policy ports protocols rpc app)
set(MICRO_MAY_KNOW_plugin base runtime observe policy ports protocols rpc)

define_property(TARGET PROPERTY MICRO_LAYER BRIEF_DOCS "Layer of a micro component")
define_property(GLOBAL PROPERTY MICRO_COMPONENTS BRIEF_DOCS "All declared micro components, in order")

function(_micro_check_layer name layer dependency)
  if(NOT TARGET micro_${dependency})
    message(FATAL_ERROR "micro_component(${name}): depends on '${dependency}', which is not declared yet. "
      "Either the name is wrong, or the dependency belongs to a later (higher) layer: see ARCHITECTURE.md, layers.")
  endif()
  get_target_property(other micro_${dependency} MICRO_LAYER)
  if(NOT other IN_LIST MICRO_MAY_KNOW_${layer})
    message(FATAL_ERROR "micro_component(${name}): layer '${layer}' must not know '${dependency}' of layer '${other}' "
      "(allowed: ${MICRO_MAY_KNOW_${layer}}). See ARCHITECTURE.md, layers.")
  endif()
endfunction()

function(micro_component name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "LAYER"
    "DEPENDS;PRIVATE_DEPENDS;LIBRARIES;PRIVATE_LIBRARIES;TEST_DEPENDS;TEST_LIBRARIES")
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "micro_component(${name}): unknown arguments ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT ARG_LAYER IN_LIST MICRO_LAYERS)
    message(FATAL_ERROR "micro_component(${name}): LAYER '${ARG_LAYER}' is none of ${MICRO_LAYERS}")
  endif()
  foreach(dependency IN LISTS ARG_DEPENDS ARG_PRIVATE_DEPENDS)
    _micro_check_layer(${name} ${ARG_LAYER} ${dependency})
  endforeach()

  file(GLOB sources CONFIGURE_DEPENDS src/*.cpp)
  file(GLOB headers CONFIGURE_DEPENDS include/micro/${name}/*.hpp)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  set(benches ${sources})
  list(FILTER benches INCLUDE REGEX "_bench\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cpp$")

  set(target micro_${name})
  if(sources)
    add_library(${target} STATIC ${sources})
    set(public PUBLIC)
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:micro_warnings>)
    foreach(library IN LISTS ARG_PRIVATE_LIBRARIES)
      # Who links the installed library need not have what only compiling it takes.
      if(library IN_LIST MICRO_HEADER_ONLY_LIBRARIES)
        set(library $<BUILD_INTERFACE:${library}>)
      endif()
      target_link_libraries(${target} PRIVATE ${library})
    endforeach()
    target_include_directories(${target} PRIVATE src)
    foreach(dependency IN LISTS ARG_PRIVATE_DEPENDS)
      target_link_libraries(${target} PRIVATE micro_${dependency})
    endforeach()
    target_compile_features(${target} PUBLIC cxx_std_23)
    micro_use_pch(${target})
  else()
    add_library(${target} INTERFACE)
    set(public INTERFACE)
    target_compile_features(${target} INTERFACE cxx_std_23)
  endif()
  add_library(micro::${name} ALIAS ${target})
  target_sources(${target} ${public} FILE_SET HEADERS BASE_DIRS include FILES ${headers})
  foreach(dependency IN LISTS ARG_DEPENDS)
    target_link_libraries(${target} ${public} micro_${dependency})
  endforeach()
  target_link_libraries(${target} ${public} ${ARG_LIBRARIES})
  set_target_properties(${target} PROPERTIES
    MICRO_LAYER ${ARG_LAYER}
    EXPORT_NAME ${name}
    VERIFY_INTERFACE_HEADER_SETS ON)
  set_property(GLOBAL APPEND PROPERTY MICRO_COMPONENTS ${name})

  if(tests AND MICRO_BUILD_TESTS)
    micro_test(${name}_test SOURCES ${tests} DEPENDS ${name} ${ARG_PRIVATE_DEPENDS} ${ARG_TEST_DEPENDS}
      LIBRARIES ${ARG_TEST_LIBRARIES} ${ARG_PRIVATE_LIBRARIES} LABELS unit ${ARG_LAYER})
    target_include_directories(${name}_test PRIVATE src)
  endif()
  if(benches AND MICRO_BUILD_BENCH)
    add_executable(${name}_bench ${benches})
    target_include_directories(${name}_bench PRIVATE src)
    list(TRANSFORM ARG_PRIVATE_DEPENDS PREPEND micro_)
    target_link_libraries(${name}_bench PRIVATE micro_${name} ${ARG_PRIVATE_DEPENDS} ${ARG_PRIVATE_LIBRARIES} micro_warnings
      benchmark::benchmark_main)
  endif()
endfunction()

# micro_test(<program> SOURCES ... [DEPENDS <component>...] [LIBRARIES <target>...] [LABELS ...] [TIMEOUT seconds])
# A GoogleTest program, and one CTest test: starting a process for each of a few thousand cases costs more than running them.
# Labels: unit (the default) and the component's layer, integration, interop, check, package.
function(micro_test name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "TIMEOUT" "SOURCES;DEPENDS;LIBRARIES;LABELS")
  add_executable(${name} ${ARG_SOURCES})
  list(TRANSFORM ARG_DEPENDS PREPEND micro_)
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} ${ARG_LIBRARIES} micro_warnings GTest::gmock GTest::gtest_main)
  micro_use_test_pch(${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()
