# llhttp: the packaged library where the system has one (Debian 13: libllhttp-dev), else the
# generated C sources that tools/fetch-llhttp has unpacked outside the tracked tree. They are not
# ours: no warnings of ours, system headers.

set(THENCE_LLHTTP_DIR ${CMAKE_SOURCE_DIR}/.deps/llhttp CACHE PATH "sources of llhttp")

pkg_check_modules(LLHTTP QUIET IMPORTED_TARGET libllhttp)
if(LLHTTP_FOUND)
    add_library(llhttp ALIAS PkgConfig::LLHTTP)
elseif(EXISTS ${THENCE_LLHTTP_DIR}/llhttp.c)
    add_library(llhttp STATIC
        ${THENCE_LLHTTP_DIR}/llhttp.c ${THENCE_LLHTTP_DIR}/api.c ${THENCE_LLHTTP_DIR}/http.c)
    target_include_directories(llhttp SYSTEM PUBLIC ${THENCE_LLHTTP_DIR})
    target_compile_options(llhttp PRIVATE -w)
    if(THENCE_FUZZ)
        target_compile_options(llhttp PRIVATE -fsanitize=fuzzer-no-link)
    endif()
    if(THENCE_SANITIZE)
        target_compile_options(llhttp PRIVATE -fsanitize=${THENCE_SANITIZE})
    endif()
else()
    message(FATAL_ERROR "llhttp is not here: run `make setup` (tools/fetch-llhttp unpacks it)")
endif()
