# corolith_add_kernels(NAME): a static library of corolith's kernels for every instruction set of the processor family.
# Programs that link it (and corolith::corolith) run the best of them that they find on the machine they are started on.
# Used by the build and by those who have found the package.
function(corolith_add_kernels name)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    set(sets sse2 avx2 avx512)
    set(flags_sse2 -msse2)
    set(flags_avx2 -mavx2 -mfma)
    set(flags_avx512 -mavx2 -mfma -mavx512f -mavx512cd -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512)
  else()
    set(sets neon)
    set(flags_neon)
  endif()

  add_library(${name} STATIC)
  target_compile_definitions(${name} PUBLIC COROLITH_SIMD_DISPATCH)
  target_link_libraries(${name} PUBLIC corolith::corolith)
  foreach(set IN LISTS sets)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}/${set}.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "#include <corolith/simd/impl/kernels.hpp>\n")
    # Optimised in every build: the loops are the point, and what is not inlined would leak out of this translation unit.
    set_source_files_properties(${source} PROPERTIES SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS "${flags_${set}};-O3;-fno-math-errno")
    target_sources(${name} PRIVATE ${source})
  endforeach()
endfunction()
