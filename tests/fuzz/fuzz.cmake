# fuzz/targets/<name>.cpp is a target: fuzz_<name> joins it with libFuzzer (tools/fuzz), and everywhere else one program replays
# the corpus of each, and some mutations of it.
file(GLOB fuzz_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/targets/*.cpp)

if(COROLITH_FUZZ)
  foreach(source IN LISTS fuzz_sources)
    cmake_path(GET source STEM name)
    add_executable(fuzz_${name} EXCLUDE_FROM_ALL ${source} ${CMAKE_CURRENT_LIST_DIR}/libfuzzer.cpp)
    target_compile_definitions(fuzz_${name} PRIVATE FUZZ_TARGET=${name})
    target_link_libraries(fuzz_${name} PRIVATE corolith corolith_flags)  # header-only: the library is instrumented too
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    set_target_properties(fuzz_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  endforeach()
  return()
endif()

add_executable(test_fuzz ${CMAKE_CURRENT_LIST_DIR}/replay_main.cpp ${fuzz_sources})
target_link_libraries(test_fuzz PRIVATE corolith_compiled)
target_precompile_headers(test_fuzz REUSE_FROM corolith_test_main)
if(COROLITH_SANITIZE)
  target_compile_definitions(test_fuzz PRIVATE COROLITH_TEST_SANITIZED)
endif()
foreach(source IN LISTS fuzz_sources)
  cmake_path(GET source STEM name)
  add_test(NAME fuzz.${name} COMMAND test_fuzz ${name} ${CMAKE_CURRENT_LIST_DIR}/corpus/${name})
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT ${test_timeout} ENVIRONMENT "${test_environment}")
endforeach()
