# What the people who build corolith itself need: hidden from whoever uses it by add_subdirectory.
option(COROLITH_HOUSE_TESTS "Also test the house: includes, headers alone, sizes, installation, what must not compile" ON)
option(COROLITH_FUZZ "Build the fuzz targets with libFuzzer (Clang)" OFF)
option(COROLITH_WERROR "Treat warnings as errors" ON)
set(COROLITH_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them: address,undefined or thread")

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_EXTENSIONS OFF)

find_program(CCACHE ccache)
mark_as_advanced(CCACHE)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

# --- flags of everything built here -----------------------------------------------------------------------------------
add_library(corolith_flags INTERFACE)
if(COROLITH_SANITIZE MATCHES thread)  # which does not know Asio's fences
  target_compile_definitions(corolith_flags INTERFACE ASIO_DISABLE_FENCED_BLOCK)
endif()
target_compile_options(corolith_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<$<BOOL:${COROLITH_WERROR}>:-Werror>)
if(COROLITH_SANITIZE)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)  # it warns of the code that its own sanitizers put in
    target_compile_options(corolith_flags INTERFACE -Wno-maybe-uninitialized)
  endif()
  target_compile_options(corolith_flags INTERFACE -fsanitize=${COROLITH_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(corolith_flags INTERFACE -fsanitize=${COROLITH_SANITIZE})
endif()

# --- the .ipp files and Asio, compiled once for all that is built here --------------------------------------------------
add_library(corolith_separate INTERFACE)
target_compile_definitions(corolith_separate INTERFACE COROLITH_SEPARATE_COMPILATION ASIO_SEPARATE_COMPILATION COROLITH_SIMD_DISPATCH)
target_link_libraries(corolith_separate INTERFACE corolith corolith_flags)

# One translation unit per folder: quicker to rebuild than one for all, cheaper from scratch than one per file.
function(corolith_generate_source name)
  list(TRANSFORM ARGN REPLACE "(.+)" "#include <\\1>" OUTPUT_VARIABLE includes)
  list(JOIN includes "\n" includes)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/${name}.cpp CONTENT "@includes@\n" @ONLY)
  set_property(GLOBAL APPEND PROPERTY corolith_generated ${PROJECT_BINARY_DIR}/generated/${name}.cpp)
endfunction()

set(implementations ${corolith_headers})
list(FILTER implementations INCLUDE REGEX "\\.ipp$")
list(TRANSFORM implementations REPLACE "^${PROJECT_SOURCE_DIR}/include/" "")
list(TRANSFORM implementations REPLACE "^corolith/([^/]+)/.*" "\\1" OUTPUT_VARIABLE folders)
list(REMOVE_DUPLICATES folders)
foreach(folder IN LISTS folders)
  set(of_folder ${implementations})
  list(FILTER of_folder INCLUDE REGEX "^corolith/${folder}/")
  corolith_generate_source(${folder} ${of_folder})
endforeach()
corolith_generate_source(asio asio/impl/src.hpp asio/ssl/impl/src.hpp)

get_property(generated GLOBAL PROPERTY corolith_generated)
add_library(corolith_compiled STATIC ${generated})
target_link_libraries(corolith_compiled PUBLIC corolith_separate)

corolith_add_kernels(corolith_kernels)
target_link_libraries(corolith_kernels PRIVATE corolith_flags)
target_link_libraries(corolith_compiled PUBLIC corolith_kernels)

# --- programs ------------------------------------------------------------------------------------------------------------
# corolith_programs(KIND FOLDER): one executable per FOLDER/*.cpp; target KIND_name, file FOLDER/name of the build tree.
function(corolith_programs kind folder)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM name)
    add_executable(${kind}_${name} ${source})
    target_link_libraries(${kind}_${name} PRIVATE corolith_compiled)
    if(COROLITH_SANITIZE)  # there the time to compile counts; elsewhere each program shows that its own includes suffice
      target_precompile_headers(${kind}_${name} REUSE_FROM corolith_test_main)
    endif()
    set_target_properties(${kind}_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${folder})
    if(kind STREQUAL tool AND COROLITH_INSTALL)
      install(TARGETS ${kind}_${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
    endif()
  endforeach()
endfunction()

add_subdirectory(tests)
corolith_programs(tool tools)
# The man page and the completion of bash come from the table that the program has its commands in.
if(COROLITH_INSTALL AND NOT COROLITH_SANITIZE)
  add_custom_command(TARGET tool_corolith POST_BUILD VERBATIM
    COMMAND sh -c "\"$1\" man >\"$2.1\" && \"$1\" completion bash >\"$2.bash\"" sh $<TARGET_FILE:tool_corolith> ${PROJECT_BINARY_DIR}/corolith)
  install(FILES ${PROJECT_BINARY_DIR}/corolith.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tools)
  install(FILES ${PROJECT_BINARY_DIR}/corolith.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME corolith COMPONENT tools)
endif()
corolith_programs(example examples)
if(COROLITH_SANITIZE)  # what benchmarks do, tests do too; what they measure, a sanitizer distorts
  return()
endif()
# What kernels are compared with must stay scalar.
set_source_files_properties(bench/peak.cpp bench/triad.cpp bench/monte_carlo.cpp PROPERTIES COMPILE_OPTIONS "-fno-tree-vectorize;-fno-tree-slp-vectorize")
corolith_programs(bench bench)

# What the benchmarks compare with; they do without what is not there.
find_library(COROLITH_OPENBLAS NAMES libopenblas.so.0 PATH_SUFFIXES openblas-pthread)
find_library(COROLITH_BLIS NAMES libblis.so.4 PATH_SUFFIXES blis-pthread)
mark_as_advanced(COROLITH_OPENBLAS COROLITH_BLIS)
target_compile_definitions(bench_gemm PRIVATE BENCH_OPENBLAS="$<$<BOOL:${COROLITH_OPENBLAS}>:${COROLITH_OPENBLAS}>"
                                              BENCH_BLIS="$<$<BOOL:${COROLITH_BLIS}>:${COROLITH_BLIS}>")
find_package(MPI QUIET COMPONENTS CXX)
if(MPI_CXX_FOUND)
  add_executable(bench_peer_flops_mpi bench/peers/flops_mpi.cpp)
  target_link_libraries(bench_peer_flops_mpi PRIVATE corolith_compiled MPI::MPI_CXX)
  set_target_properties(bench_peer_flops_mpi PROPERTIES OUTPUT_NAME flops_mpi RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench/peers)
  add_dependencies(bench_flops bench_peer_flops_mpi)
endif()
target_compile_definitions(bench_dispatch PRIVATE BENCH_PEERS="${PROJECT_SOURCE_DIR}/bench/peers")
target_compile_definitions(bench_flops PRIVATE
  BENCH_PEERS="${PROJECT_SOURCE_DIR}/bench/peers"
  BENCH_MPIRUN="$<$<BOOL:${MPI_CXX_FOUND}>:${MPIEXEC_EXECUTABLE}>"
  BENCH_FLOPS_MPI="${PROJECT_BINARY_DIR}/bench/peers/flops_mpi")

# bench/s3: clients that it is compared with. Nothing of the library is in them.
function(corolith_s3_peer name library)
  add_executable(bench_peer_${name} bench/peers/${name}.cpp)
  target_link_libraries(bench_peer_${name} PRIVATE corolith_flags ${library})
  target_compile_features(bench_peer_${name} PRIVATE cxx_std_20)
  set_target_properties(bench_peer_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench/peers)
  add_dependencies(bench_s3 bench_peer_${name})
endfunction()
corolith_s3_peer(s3_ring corolith::liburing)
find_package(CURL QUIET)
if(CURL_FOUND)
  corolith_s3_peer(s3_curl CURL::libcurl)
endif()
target_compile_definitions(bench_s3 PRIVATE
  BENCH_PEERS="${PROJECT_SOURCE_DIR}/bench/peers"
  BENCH_SERVERS="${PROJECT_SOURCE_DIR}/tests/support"
  BENCH_S3_RING="${PROJECT_BINARY_DIR}/bench/peers/s3_ring"
  BENCH_S3_CURL="$<$<BOOL:${CURL_FOUND}>:${PROJECT_BINARY_DIR}/bench/peers/s3_curl>")
