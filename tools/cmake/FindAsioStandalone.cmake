# Finds Asio without Boost, which ships no CMake package: the target corolith::asio.
find_path(AsioStandalone_INCLUDE_DIR asio/version.hpp)
mark_as_advanced(AsioStandalone_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(AsioStandalone REQUIRED_VARS AsioStandalone_INCLUDE_DIR)

if(AsioStandalone_FOUND AND NOT TARGET corolith::asio)
  add_library(corolith::asio INTERFACE IMPORTED)
  set_target_properties(corolith::asio PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${AsioStandalone_INCLUDE_DIR})
endif()
