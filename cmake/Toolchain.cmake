# Flags, linker, compiler cache, sanitizers.
option(REPRISE_ASAN "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(REPRISE_TSAN "ThreadSanitizer" OFF)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # What one clone compiled serves the others: no path of a clone counts, in the cache or in what is compiled.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

# Assertions stay on in what people run; -g1 keeps backtraces readable at little cost.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")

add_library(reprise_warnings INTERFACE)
target_compile_options(reprise_warnings INTERFACE
  -Wall -Wextra -Wno-missing-field-initializers -Werror=return-type -Werror=unused-result)

# Sanitizers look at every access themselves: optimizing further would only take longer to compile. They map terabytes: whoever
# limits address space must know of them, by this definition.
set(REPRISE_SANITIZED)
if(REPRISE_ASAN OR REPRISE_TSAN)
  set(REPRISE_SANITIZED REPRISE_SANITIZED)
  set(CMAKE_CXX_FLAGS_RELEASE "-O1 -g1")
  set(CMAKE_C_FLAGS_RELEASE "-O1 -g1")
endif()
if(REPRISE_ASAN)
  add_compile_options(-fsanitize=address,undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  add_library(sanitizer_defaults OBJECT ${CMAKE_SOURCE_DIR}/cmake/asan_defaults.cc)
elseif(REPRISE_TSAN)
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
  add_library(sanitizer_defaults OBJECT ${CMAKE_SOURCE_DIR}/cmake/tsan_defaults.cc)
endif()

# Into every executable that has none of its own: see the files.
if(REPRISE_SANITIZED)
  set(is_program $<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>)
  set(has_own $<BOOL:$<TARGET_PROPERTY:REPRISE_OWN_SANITIZER_DEFAULTS>>)
  link_libraries($<$<AND:${is_program},$<NOT:${has_own}>>:$<TARGET_OBJECTS:sanitizer_defaults>>)
endif()
