/* config_rules - K1 to K10 as questions.
 *
 * Does:   one predicate for each invariant of config.h, so that config_check can assert what
 *         config_decode must merely refuse.
 * Not:    K6: no value shows in which order its members joined.
 * Holds:  -
 * Limits: config__k7 comes first: the others rely on its counts.
 * See:    config.h.
 */
#pragma once

#include "placement/config.h"

bool config__k1(const struct config *config);
bool config__k2(const struct config *config);
bool config__k3(const struct config *config);
bool config__k4(const struct config *config);
bool config__k5(const struct config *config);
bool config__k7(const struct config *config);
bool config__k8(const struct config *config);
bool config__k9(const struct config *config);
bool config__k10(const struct config *config);

/* Open actors, and a place for each member that has none now (K7). */
uint32_t config__actors(const struct config *config);

/* Not empty, and it ends. */
bool address__is_text(const struct address *address);

/* All of them. */
bool config__is_valid(const struct config *config);
