# Tests register themselves by where they lie; this is the only place that knows them.
#
#   tests/unit/<module>/test_<noun>.c   one program each, `test_<module>_<noun>`, label unit, with
#                                       the other .c files of that folder
#   tests/fuzz/fuzz_<target>.c          with THENCE_FUZZ a libFuzzer program; else its corpus
#                                       tests/fuzz/corpus/<target>/ is replayed, label fuzz

file(GLOB unit_tests CONFIGURE_DEPENDS tests/unit/*/test_*.c)
if(THENCE_FUZZ)
    set(unit_tests "") # the fuzz build is for fuzzing
endif()
if(unit_tests AND NOT CMOCKA_FOUND)
    message(STATUS "cmocka is not here: the unit tests are left out (`make setup` installs it)")
    set(unit_tests "")
endif()

# JSON of somebody else judges ours, in the tests of http/ alone: jansson is as strict, yajl takes
# numbers of any size.
pkg_check_modules(JANSSON QUIET IMPORTED_TARGET jansson)
pkg_check_modules(YAJL QUIET IMPORTED_TARGET yajl)

foreach(source IN LISTS unit_tests)
    get_filename_component(folder ${source} DIRECTORY)
    get_filename_component(module ${folder} NAME)
    get_filename_component(noun ${source} NAME_WE)
    string(REGEX REPLACE "^test_" "test_${module}_" name ${noun})
    file(GLOB fixtures CONFIGURE_DEPENDS ${folder}/*.c)
    list(FILTER fixtures EXCLUDE REGEX "/test_[^/]*$") # shared by the tests of one folder
    add_executable(${name} ${source} ${fixtures})
    target_include_directories(${name} PRIVATE tests)
    target_link_libraries(${name} PRIVATE thence_flags PkgConfig::CMOCKA)
    thence_link(${name} PRIVATE ${THENCE_USES_${module}} ${module})
    if(module STREQUAL http AND JANSSON_FOUND)
        target_link_libraries(${name} PRIVATE PkgConfig::JANSSON)
        target_compile_definitions(${name} PRIVATE HAVE_JANSSON=1)
    endif()
    if(module STREQUAL http AND YAJL_FOUND)
        target_link_libraries(${name} PRIVATE PkgConfig::YAJL)
        target_compile_definitions(${name} PRIVATE HAVE_YAJL=1)
    endif()
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 300)
endforeach()

file(GLOB fuzz_targets CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
foreach(source IN LISTS fuzz_targets)
    get_filename_component(name ${source} NAME_WE)
    string(REGEX REPLACE "^fuzz_" "" target ${name})
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE thence_flags)
    # A target feeds one module and names it in no list: it may use all of them.
    thence_link(${name} PRIVATE ${THENCE_MODULES})
    if(THENCE_FUZZ)
        target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    else()
        target_sources(${name} PRIVATE tests/fuzz/replay_main.c)
        add_test(NAME ${name} COMMAND ${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${target})
        set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 120)
    endif()
endforeach()
