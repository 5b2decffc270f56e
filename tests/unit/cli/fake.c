/* fake - the scripted node of the client's tests, for the tests of the command line too.
 *
 * Does:   see unit/client/fake.h.
 * Not:    anything of its own.
 * Holds:  -
 * Limits: -
 * See:    unit/client/fake.c.
 */
#include "unit/client/fake.c"
