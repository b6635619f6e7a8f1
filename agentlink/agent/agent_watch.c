/* agent_watch.c - the agent bounds itself.
 *
 * Memory: RLIMIT_DATA (limit.memory) makes malloc fail, and everything that allocates
 * answers "not now"; past three quarters of it, resident, free memory goes back to the
 * system.  CPU: past limit.cpu_percent of one core, whoever brings events waits a
 * little longer each second, until it is below. */
#include "agent/agent.h"

#include "base/time.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Sanitizers map terabytes that they never touch. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_DATA_LIMIT false
#else
#define HAS_DATA_LIMIT true
#endif

enum { WATCH_MS = 1000, SLOW_STEP_MS = 5, SLOW_MOST_MS = 1000 };

static void limit(__rlimit_resource_t what, int64_t most)
{
    struct rlimit r;

    if (getrlimit(what, &r) != 0)
        return;
    if (r.rlim_max == RLIM_INFINITY || (rlim_t)most < r.rlim_max)
        r.rlim_max = (rlim_t)most;
    r.rlim_cur = r.rlim_max;
    setrlimit(what, &r);
}

void agent_limit(const struct settings *s)
{
    mallopt(M_ARENA_MAX, 2);                         /* few heaps: what one thread frees the others can use */
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);           /* fixed: large blocks go back at once */
    mallopt(M_TRIM_THRESHOLD, 256 * 1024);
    if (HAS_DATA_LIMIT)
        limit(RLIMIT_DATA, s->memory);
    limit(RLIMIT_NOFILE, s->files);
    limit(RLIMIT_CORE, 0);                           /* the key is in memory */
}

int64_t agent_rss_kib(void)
{
    char text[128];
    long long size, resident;
    FILE *f = fopen("/proc/self/statm", "re");
    int64_t kib = 0;

    if (f == NULL)
        return 0;
    if (fgets(text, sizeof text, f) != NULL && sscanf(text, "%lld %lld", &size, &resident) == 2)
        kib = resident * (sysconf(_SC_PAGESIZE) / 1024);
    fclose(f);
    return kib;
}

static int64_t cpu_ms(void)
{
    struct rusage u;

    if (getrusage(RUSAGE_SELF, &u) != 0)
        return 0;
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

static void watch_cpu(struct agent *a, int64_t now)
{
    int64_t used = cpu_ms(), most = a->fresh.cpu_percent, slow = a->slow_ms;

    if (a->cpu_at_ms != 0)
        a->cpu_percent = (used - a->cpu_ms) * 100 / (now - a->cpu_at_ms);
    a->cpu_ms = used;
    a->cpu_at_ms = now;
    slow = a->cpu_percent > most ? slow * 2 + SLOW_STEP_MS : a->cpu_percent < most * 9 / 10 ? slow / 2 : slow;
    a->slow_ms = slow > SLOW_MOST_MS ? SLOW_MOST_MS : slow;
}

void agent_watch(struct agent *a)
{
    int64_t now = time_monotonic_ms();

    if (now - a->cpu_at_ms < WATCH_MS)
        return;
    watch_cpu(a, now);
    a->rss_kib = agent_rss_kib();
    if (a->rss_kib > a->rss_peak_kib)
        a->rss_peak_kib = a->rss_kib;
    if (a->rss_kib * 1024 > a->settings.memory / 4 * 3)
        malloc_trim(0);
}
