# Tests of the house: they read or compile the sources, and run none of them.
find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)

# How a user's header-only program is compiled, for the scripts: found by asking a target that links corolith.
add_library(corolith_probe INTERFACE)
target_link_libraries(corolith_probe INTERFACE corolith corolith_flags)
add_library(corolith_probe_user OBJECT EXCLUDE_FROM_ALL support/main.cpp)
target_link_libraries(corolith_probe_user PRIVATE corolith_probe)
set(probe $<TARGET_PROPERTY:corolith_probe_user,)
list(JOIN CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES "\",\"" implicit)
file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/house/compile.json CONTENT
"{
  \"compiler\": \"${CMAKE_CXX_COMPILER}\",
  \"own\": [\"${PROJECT_SOURCE_DIR}/include\"],
  \"implicit\": [\"${implicit}\"],
  \"includes\": [\"$<JOIN:${probe}INCLUDE_DIRECTORIES>,\",\">\"],
  \"definitions\": [\"$<JOIN:${probe}COMPILE_DEFINITIONS>,\",\">\"],
  \"options\": [\"$<JOIN:${probe}COMPILE_OPTIONS>,\",\">\"]
}
")

function(corolith_house_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "COMMAND")
  add_test(NAME ${name} COMMAND Python3::Interpreter -B ${arg_COMMAND} WORKING_DIRECTORY ${PROJECT_BINARY_DIR}/house)
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS house TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77)
endfunction()

set(house ${CMAKE_CURRENT_LIST_DIR})
set(compile ${PROJECT_BINARY_DIR}/house/compile.json)
corolith_house_test(house.includes COMMAND ${house}/includes.py ${PROJECT_SOURCE_DIR})
corolith_house_test(house.sizes COMMAND ${house}/sizes.py ${PROJECT_SOURCE_DIR})
corolith_house_test(house.text COMMAND ${house}/text.py ${PROJECT_SOURCE_DIR})
corolith_house_test(house.kernels COMMAND ${house}/kernels.py $<TARGET_FILE:corolith_kernels> ${CMAKE_NM})
corolith_house_test(house.checks_can_fail COMMAND ${house}/checks_can_fail.py ${compile} TIMEOUT 300)
corolith_house_test(house.headers_alone COMMAND ${house}/headers_alone.py ${PROJECT_SOURCE_DIR} ${compile} TIMEOUT 3000)
set_tests_properties(house.headers_alone PROPERTIES COST 400)  # the longest, so that it is not the last
corolith_house_test(house.readme COMMAND ${house}/readme.py ${PROJECT_SOURCE_DIR} ${compile} TIMEOUT 900)

# Some of the faults that the simulation of the scheduler must notice; by hand: all of them.
corolith_house_test(house.simulation_can_fail COMMAND ${PROJECT_SOURCE_DIR}/tests/schedule/simulation/mutants.py
                    ${PROJECT_SOURCE_DIR} ${CMAKE_CXX_COMPILER} 2000 "an older attempt counts" "a call that ended keeps its slot"
                    "calls of a lost agent are forgotten" "batches do not take turns" TIMEOUT 600)

file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/compile_fail/*.cpp)
foreach(source IN LISTS sources)
  cmake_path(GET source STEM name)
  corolith_house_test(compile_fail.${name} COMMAND ${house}/compile_fail.py ${compile} ${source} TIMEOUT 1500)
endforeach()

if(COROLITH_INSTALL)
  foreach(way installed subdirectory)
    corolith_house_test(install.${way} COMMAND ${PROJECT_SOURCE_DIR}/tests/install/consume.py ${way} ${PROJECT_SOURCE_DIR}
                        ${PROJECT_BINARY_DIR} ${CMAKE_COMMAND} ${CMAKE_CXX_COMPILER} TIMEOUT 1500)
  endforeach()
endif()
