# The one list of warnings and the one list of hardening flags. Every target of ours links
# `thence_flags`; foreign sources (llhttp) do not.

set(THENCE_WARNINGS
    -Wall -Wextra -Wpedantic -Werror
    -Wshadow -Wconversion -Wsign-conversion -Wdouble-promotion -Wfloat-equal
    -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wmissing-variable-declarations
    -Wcast-qual -Wcast-align -Wwrite-strings -Wpointer-arith -Wnull-dereference
    -Wvla -Wundef -Wredundant-decls -Wnested-externs -Wformat=2 -Wswitch-enum
    -Wimplicit-fallthrough -Wunused-macros
    -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Walloca # gcc alone knows the first three
)

set(THENCE_HARDENING
    -fstack-protector-strong -fstack-clash-protection -fno-common
    -fcf-protection # x86
    -mbranch-protection=standard # arm64
)
set(THENCE_HARDENING_LINK -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed)

add_library(thence_flags INTERFACE)
target_include_directories(thence_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)

# Flags that this compiler for this machine does not know are left out; nothing else is.
foreach(flag IN LISTS THENCE_WARNINGS THENCE_HARDENING)
    string(MAKE_C_IDENTIFIER "flag${flag}" known)
    check_c_compiler_flag("-Werror ${flag}" ${known})
    if(${known})
        target_compile_options(thence_flags INTERFACE ${flag})
    endif()
endforeach()
target_link_options(thence_flags INTERFACE ${THENCE_HARDENING_LINK})

if(THENCE_SANITIZE)
    set(sanitize -fsanitize=${THENCE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    # Instrumented code draws warnings that the source does not deserve (gcc's manual says so);
    # every source is compiled without it too, and there they are errors.
    target_compile_options(thence_flags INTERFACE ${sanitize} -Wno-error)
    target_link_options(thence_flags INTERFACE ${sanitize})
else()
    # The sanitizers replace the functions that _FORTIFY_SOURCE wraps, and it needs optimisation.
    target_compile_options(thence_flags INTERFACE
        $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
endif()

if(THENCE_PLANT)
    target_compile_definitions(thence_flags INTERFACE THENCE_PLANT=1)
endif()
