# What corolith stands on. Included by the build and by the installed corolithConfig.cmake, so the two cannot differ.
include(CMakeFindDependencyMacro)
list(APPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})

find_dependency(Threads)
find_dependency(OpenSSL 3.0)
find_dependency(Boost 1.75)  # headers only: PFR
find_dependency(fmt)
find_dependency(spdlog)
find_dependency(simdjson)
find_dependency(cereal)
find_dependency(xsimd)
if(NOT TARGET xtl)  # xsimd names it even where it does without; it is headers only, and nothing to link with
  set_property(TARGET xsimd PROPERTY INTERFACE_LINK_LIBRARIES)
endif()
find_dependency(AsioStandalone)

list(REMOVE_ITEM CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})

set(corolith_dependencies
    Threads::Threads OpenSSL::SSL OpenSSL::Crypto Boost::headers fmt::fmt spdlog::spdlog simdjson::simdjson cereal::cereal
    xsimd corolith::asio)
