# Install and export: afterwards find_package(corolith) and pkg-config find it.
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_DATADIR}/cmake/corolith)

install(TARGETS corolith EXPORT corolithTargets FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT corolithTargets NAMESPACE corolith:: DESTINATION ${package_folder})

configure_package_config_file(tools/cmake/corolithConfig.cmake.in ${PROJECT_BINARY_DIR}/corolithConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/corolithConfigVersion.cmake COMPATIBILITY SameMinorVersion
                                 ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/corolithConfig.cmake ${PROJECT_BINARY_DIR}/corolithConfigVersion.cmake
              tools/cmake/dependencies.cmake tools/cmake/kernels.cmake tools/cmake/FindAsioStandalone.cmake tools/cmake/FindXsimdHeaders.cmake
              tools/cmake/FindLiburing.cmake
        DESTINATION ${package_folder})

configure_file(tools/cmake/corolith.pc.in ${PROJECT_BINARY_DIR}/corolith.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/corolith.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
