# A project that adds Capstan as a folder links these targets too, from outside this folder.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL TRUE)

find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(xtensor REQUIRED)
find_package(xtensor-blas REQUIRED)  # brings BLAS and LAPACK
