# Finds xsimd as the target corolith::xsimd. Debian's own CMake package also asks for xtl, which corolith does not use.
find_path(XsimdHeaders_INCLUDE_DIR xsimd/xsimd.hpp)
mark_as_advanced(XsimdHeaders_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(XsimdHeaders REQUIRED_VARS XsimdHeaders_INCLUDE_DIR)

if(XsimdHeaders_FOUND AND NOT TARGET corolith::xsimd)
  add_library(corolith::xsimd INTERFACE IMPORTED)
  set_target_properties(corolith::xsimd PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${XsimdHeaders_INCLUDE_DIR})
endif()
