/* segment_names - the files of segments: their names, their list, their content.
 *
 * Does:   names, listing and mapping for segments.c.
 * Not:    writing.
 * Holds:  -
 * Limits: -
 * See:    segments.h.
 */
#pragma once

#include "base/base.h"

/* "log-" and 16 hexadecimal digits, and the NUL. */
#define SEGMENT_NAME_BYTES 21U

void sys__segment_name(uint64_t id, char name[SEGMENT_NAME_BYTES]);

/* Ids of all segments in the directory, ascending; the caller frees *ids. 0 or errno. */
int sys__segment_list(int dir_fd, uint64_t **ids, size_t *count);

/* Maps one; an empty file gives an empty slice. 0 or errno. */
int sys__segment_map(int dir_fd, uint64_t id, struct slice *bytes);
void sys__segment_unmap(struct slice bytes);
