/* spool_state.c - the few numbers of the spool that must survive: two slots, written
 * in turns, in place. */
#include "agent/spool_internal.h"

#include "base/compress.h"
#include "base/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char magic[8] = "KEEPST1";

struct slot {
    char magic[8];
    uint32_t crc, size;                  /* of the state that follows */
    struct spool_state state;
};
_Static_assert(sizeof(struct slot) <= STATE_SLOT, "a slot holds the state");

int64_t counts_sum(spool_counts c)
{
    int64_t sum = 0;

    for (int k = 0; k < SPOOL_CLASS_N; k++)
        for (int r = 0; r < SPOOL_REASON_N; r++)
            sum += c[k][r];
    return sum;
}

void counts_add(spool_counts to, spool_counts from, int sign)
{
    for (int k = 0; k < SPOOL_CLASS_N; k++)
        for (int r = 0; r < SPOOL_REASON_N; r++)
            to[k][r] += sign * from[k][r];
}

static bool slot_read(struct spool *s, int i, struct spool_state *out)
{
    struct slot slot;

    if (pread(s->state_fd, &slot, sizeof slot, (off_t)i * STATE_SLOT) != (ssize_t)sizeof slot)
        return false;
    if (memcmp(slot.magic, magic, sizeof magic) != 0 || slot.size != sizeof slot.state ||
        slot.crc != crc32_fast(&slot.state, sizeof slot.state))
        return false;
    *out = slot.state;
    return true;
}

static int state_start(struct spool *s, struct err *err)
{
    static const char zero[2 * STATE_SLOT];

    if (pwrite(s->state_fd, zero, sizeof zero, 0) != (ssize_t)sizeof zero || fsync(s->state_fd) != 0)
        return err_set(err, errno == ENOSPC ? ERR_STORAGE_FULL : ERR_UNAVAILABLE, "spool/state: %s", strerror(errno));
    s->state = (struct spool_state){ .next = 1, .victim_class = -1 };
    random_bytes(s->state.stream, sizeof s->state.stream);
    s->is_dirty = true;
    return state_save(s, err);
}

int state_load(struct spool *s, bool *is_new, struct err *err)
{
    struct spool_state a, b;

    s->state_fd = openat(s->dir, "state", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->state_fd < 0)
        return err_set(err, errno == ENOSPC ? ERR_STORAGE_FULL : ERR_UNAVAILABLE, "spool/state: %s", strerror(errno));
    bool has_a = slot_read(s, 0, &a), has_b = slot_read(s, 1, &b);
    *is_new = !has_a && !has_b;
    if (*is_new)
        return state_start(s, err);
    s->state = has_a && (!has_b || a.generation > b.generation) ? a : b;
    return 0;
}

int state_save(struct spool *s, struct err *err)
{
    struct slot slot;

    if (!s->is_dirty)
        return 0;
    memset(&slot, 0, sizeof slot);
    s->state.generation++;
    memcpy(slot.magic, magic, sizeof magic);
    slot.size = sizeof slot.state;
    slot.state = s->state;
    slot.crc = crc32_fast(&slot.state, sizeof slot.state);
    off_t at = (off_t)(s->state.generation % 2) * STATE_SLOT;
    if (pwrite(s->state_fd, &slot, sizeof slot, at) != (ssize_t)sizeof slot || fdatasync(s->state_fd) != 0) {
        spool_problem(s, "state cannot be written: %s", strerror(errno));
        return err_set(err, ERR_UNAVAILABLE, "spool/state: %s", strerror(errno));
    }
    s->is_dirty = false;
    return 0;
}
