/* deadman.c - others wait for us only while we answer; see internal.h.
 *
 * A small process that does nothing but look: when execs are held and the agent has
 * been silent for SILENT_MS (stopped, hung), it kills the agent.  The kernel then
 * lets everybody go, programs that are pinned stay, and the service manager starts
 * the agent anew.  It ends with the agent. */
#include "agent/wall/internal.h"
#include "agent/wall/built.h"

#ifdef KEEP_WALL_BUILT
#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SILENT_MS = 2000, LOOK_MS = 250, FAN_AT = 3 };

struct deadman_page {                    /* shared by the two */
    _Atomic int64_t beat_ms;
    _Atomic int is_holding;
};

struct deadman {
    struct deadman_page *page;
    pid_t child;
};

static int64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* After fork in a process with threads: system calls only. */
static void deadman_main(struct deadman_page *page, pid_t agent, int fan)
{
    const struct timespec pause = { 0, LOOK_MS * 1000000L };
    int waiting = 0;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NAME, "keep-deadman");
    (void)dup2(fan, FAN_AT);
    (void)syscall(SYS_close_range, FAN_AT + 1, ~0u, 0);
    while (getppid() == agent) {
        bool is_waited = page->is_holding || (ioctl(FAN_AT, FIONREAD, &waiting) == 0 && waiting > 0);
        if (is_waited && clock_ms() - page->beat_ms > SILENT_MS)
            kill(agent, SIGKILL);
        nanosleep(&pause, NULL);
    }
    syscall(SYS_exit_group, 0);
}

int deadman_open(struct wall *w, struct err *err)
{
    struct deadman *d = calloc(1, sizeof *d);
    pid_t agent = getpid();
    if (!d)
        return err_nomem(err);
    d->page = mmap(NULL, sizeof *d->page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (d->page == MAP_FAILED) {
        free(d);
        return err_nomem(err);
    }
    d->page->beat_ms = clock_ms();
    d->child = fork();
    if (d->child == 0)
        deadman_main(d->page, agent, gate_fan(w));
    w->deadman = d;
    return d->child > 0 ? 0 : err_set(err, ERR_UNAVAILABLE, "no process that watches over us: %s", strerror(errno));
}

void deadman_beat(struct wall *w)
{
    if (w->deadman)
        w->deadman->page->beat_ms = clock_ms();
}

void deadman_hold(struct wall *w, bool is_holding)
{
    if (w->deadman)
        w->deadman->page->is_holding = is_holding;
}

void deadman_close(struct wall *w)
{
    struct deadman *d = w->deadman;
    if (!d)
        return;
    if (d->child > 0) {
        kill(d->child, SIGKILL);
        while (waitpid(d->child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    munmap(d->page, sizeof *d->page);
    free(d);
    w->deadman = NULL;
}
#endif
