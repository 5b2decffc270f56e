/* machine - what the machine knows: randomness, the time, which boot this is.
 *
 * Does:   entropy from the kernel, the wall clock, the boot id.
 * Not:    the monotonic clock of the loop: that is uv_now, read once a turn.
 * Holds:  -
 * Limits: Linux.
 * See:    docs/protocol.md section 6.3 (what survives a crash of the machine and what may not).
 */
#pragma once

#include "base/base.h"

/* Fills len bytes from the kernel's generator. Aborts when the kernel has none to give: without
 * entropy node ids would collide. */
void machine_entropy(void *out, size_t len);

/* Milliseconds since 1970; may jump. 0 for a clock before 1970. */
uint64_t machine_wall_ms(void);

/* Milliseconds that never go back while the machine runs. */
uint64_t machine_mono_ms(void);

/* A hash of the kernel's boot id: another one after every boot of the machine. Where it cannot be
 * read it is random: each start then counts as another boot, which is the safe side. */
uint64_t machine_boot_id(void);

/* Raises the limit of open files to what the system allows; returns what it is then. */
uint64_t machine_raise_open_files(void);

/* Memory of this process that is in use now; 0 where that cannot be read. */
uint64_t machine_resident_bytes(void);
