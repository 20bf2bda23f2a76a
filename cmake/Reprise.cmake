# The shapes that a folder of this project can take.
# Sources are globbed (with CONFIGURE_DEPENDS): a new file needs no edit here.
# A folder's files are few concepts over the same costly headers (protobuf, JSON, gMock): several are compiled as one, and their
# unnamed namespaces share names. ONE_BY_ONE: not here. -DREPRISE_UNITY=OFF: nowhere.
#
#   reprise_library(core_plan DEPS core_model ...)          one folder = one static library
#   reprise_program(reprise-agent SOURCES main.cc DEPS ...)  one executable in build/bin
#   reprise_plugin(edr)                                      plugins/<name>/*.cc (or SOURCES) -> build/plugins/<name>.so
#   reprise_unit_tests(core_plan DEPS ...)                   tests/unit/<...>/*_test.cc -> one test program
#   reprise_adapter_tests(edr COST 200 ...)                  tests/unit/plugins/<name>, its actions under the real runner

option(REPRISE_UNITY "Compile several files of a folder as one, where the folder allows it" ON)
function(reprise_unity target size)
  if(REPRISE_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${size})
  endif()
endfunction()

function(reprise_library name)
  cmake_parse_arguments(ARG "ONE_BY_ONE" "" "DEPS;EXCLUDE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  list(FILTER sources EXCLUDE REGEX "(^|/)([a-z_]*main|[a-z_]*_main)\\.cc$")
  foreach(excluded ${ARG_EXCLUDE})
    list(FILTER sources EXCLUDE REGEX "/${excluded}$")
  endforeach()
  if(NOT sources)
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} INTERFACE ${ARG_DEPS})
    return()
  endif()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE reprise_warnings)
  if(NOT ARG_ONE_BY_ONE)
    reprise_unity(${name} 6)
  endif()
endfunction()

# Beast brings coroutines, before which clang 14 cannot lay out what one check of its sanitizer wants there.
function(reprise_uses_coroutines target)
  if(REPRISE_ASAN AND CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    target_compile_options(${target} PRIVATE -fno-sanitize=function)
  endif()
endfunction()

function(reprise_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} reprise_warnings)
endfunction()

# For a server with many threads that hand small messages to each other: glibc's allocator spends a quarter of its time on
# them. Sanitizers bring their own.
function(reprise_server_allocator target)
  if(NOT REPRISE_ASAN AND NOT REPRISE_TSAN)
    target_link_libraries(${target} PRIVATE PkgConfig::JEMALLOC)
  endif()
endfunction()

function(reprise_plugin name)
  cmake_parse_arguments(ARG "" "" "DEPS;SOURCES" ${ARGN})
  set(sources ${ARG_SOURCES})
  if(NOT sources)
    file(GLOB sources CONFIGURE_DEPENDS *.cc)
  endif()
  if(NOT sources)
    return()
  endif()
  add_library(plugin_${name} MODULE ${sources})
  reprise_unity(plugin_${name} 6)
  target_include_directories(plugin_${name} PRIVATE ${CMAKE_SOURCE_DIR})
  set_target_properties(plugin_${name} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_link_libraries(plugin_${name} PRIVATE plugins_sdk ${ARG_DEPS} reprise_warnings)
  if(TARGET all_plugins)  # An example of a plugin stands outside of the tree.
    add_dependencies(all_plugins plugin_${name})
  endif()
endfunction()

# Call from tests/unit/CMakeLists.txt; the folder mirrors the tree (core_plan -> core/plan).
function(reprise_unit_tests target)
  cmake_parse_arguments(ARG "ONE_BY_ONE" "" "DEPS" ${ARGN})
  string(REPLACE "_" "/" folder ${target})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*_test.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(unit_${target} ${sources})
  target_include_directories(unit_${target} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_definitions(unit_${target} PRIVATE ${REPRISE_SANITIZED})
  if(TARGET ${target})
    target_link_libraries(unit_${target} PRIVATE ${target})
  endif()
  target_link_libraries(unit_${target} PRIVATE ${ARG_DEPS} tests_support GTest::gmock_main reprise_warnings)
  set_target_properties(unit_${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  # The tests themselves need not be fast to run; what they test is built as people run it.
  target_compile_options(unit_${target} PRIVATE -O0)
  if(NOT ARG_ONE_BY_ONE)
    reprise_unity(unit_${target} 4)
  endif()
  add_dependencies(part_unit unit_${target})
  add_test(NAME unit.${target} COMMAND unit_${target})
  set_tests_properties(unit.${target} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()

# An adapter's decisions (plugins_<adapter>, when it is a library), and its actions under the real runner on real parts, which
# takes its time: COST lets the longest begin first.
function(reprise_adapter_tests adapter)
  cmake_parse_arguments(ARG "ONE_BY_ONE" "COST" "DEPS" ${ARGN})
  set(one_by_one)
  if(ARG_ONE_BY_ONE)
    set(one_by_one ONE_BY_ONE)
  endif()
  reprise_unit_tests(plugins_${adapter} ${one_by_one} DEPS agents_runner_conformance plugins_sdk ${ARG_DEPS})
  add_dependencies(unit_plugins_${adapter} reprise-plugin-host plugin_${adapter})
  set_tests_properties(unit.plugins_${adapter} PROPERTIES TIMEOUT 900 COST ${ARG_COST})
endfunction()
