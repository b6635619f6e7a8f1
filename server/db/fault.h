/* fault.h - the driver that fails on purpose; for tests only.
 *
 * After db_fault_enable(), db_open takes "fault:N:KIND:<real url>": the N-th call
 * on that connection (prepare, bind, step, begin, savepoint, commit; the first is
 * 1) fails with KIND instead of being made; "N+" fails from the N-th on.  KIND is
 * the slug of an error kind, or
 *   broken    as a failed fsync: unavailable, and db_is_broken
 *   unknown   a commit is made but its answer lost; other calls: unavailable
 * N = 0 fails nothing.  Without db_fault_enable() such a URL is refused. */
#ifndef KEEP_DB_FAULT_H
#define KEEP_DB_FAULT_H

#include <stdint.h>

void db_fault_enable(void);

/* How many calls were failed since the program began: a loop over N ends when
 * the operation completes without one more. */
int64_t db_fault_fired(void);

#endif
