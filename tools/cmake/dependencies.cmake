# What corolith stands on. Included by the build and by the installed corolithConfig.cmake, so the two cannot differ.
include(CMakeFindDependencyMacro)
list(APPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})

find_dependency(Threads)
find_dependency(OpenSSL 3.0)
find_dependency(Boost 1.75)  # headers only: PFR
find_dependency(fmt)
find_dependency(spdlog)
find_dependency(simdjson)
find_dependency(pugixml)
find_dependency(cereal)
find_dependency(XsimdHeaders)
find_dependency(AsioStandalone)
find_dependency(Liburing)

list(REMOVE_ITEM CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})

set(corolith_dependencies
    Threads::Threads OpenSSL::SSL OpenSSL::Crypto Boost::headers fmt::fmt spdlog::spdlog simdjson::simdjson pugixml::pugixml cereal::cereal
    corolith::asio corolith::xsimd corolith::liburing)
