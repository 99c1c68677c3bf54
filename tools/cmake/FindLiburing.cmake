# Finds liburing, which ships no CMake package, as the target corolith::liburing. It needs io_uring_submit_and_get_events, which came with 2.3.
find_path(Liburing_INCLUDE_DIR liburing.h)
find_library(Liburing_LIBRARY uring)
mark_as_advanced(Liburing_INCLUDE_DIR Liburing_LIBRARY)

if(Liburing_INCLUDE_DIR)
  file(STRINGS ${Liburing_INCLUDE_DIR}/liburing.h Liburing_has_get_events REGEX "io_uring_submit_and_get_events")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Liburing REQUIRED_VARS Liburing_LIBRARY Liburing_INCLUDE_DIR Liburing_has_get_events)

if(Liburing_FOUND AND NOT TARGET corolith::liburing)
  add_library(corolith::liburing UNKNOWN IMPORTED)
  set_target_properties(corolith::liburing PROPERTIES
    IMPORTED_LOCATION ${Liburing_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${Liburing_INCLUDE_DIR})
endif()
