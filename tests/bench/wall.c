/* What walls cost: exec and connect within a container with no walls, observed, and
 * protected by 200 programs and 500 ports; interleaved, so that a loaded machine loads
 * all three alike.  Then events a second, memory, and how soon a profile is in force. */
#include "tests/flow/wall.h"

#include <sys/resource.h>
#include <time.h>

enum { ROUNDS = 7, EXECS = 800, DIALS = 3000, PROGRAMS = 200, PORTS = 500, BURST = 100000, BIRTHS = 8 };
enum state { OFF = 0, OBSERVE, PROTECT, STATES };
static const char *const state_words[] = { "off", "observe", "protect" };

static struct profile_executable programs[PROGRAMS];
static struct profile_peer peers[PORTS];
static int64_t ports[PORTS];
static char texts[PROGRAMS + PORTS][48];

static struct profile profile_large(void)
{
    for (int i = 0; i < PROGRAMS; i++) {
        snprintf(texts[i], sizeof texts[i], "/usr/lib/app/bin/program-%d", i);
        programs[i].path = texts[i];
    }
    programs[0].path = "/bin/inside";
    for (int i = 0; i < PORTS; i++) {
        snprintf(texts[PROGRAMS + i], sizeof texts[0], "10.%d.%d.0/24", i / 250, i % 250);
        ports[i] = 1000 + i;
        peers[i] = (struct profile_peer){ .kind = PEER_CIDR, .cidr = texts[PROGRAMS + i], .ports = &ports[i], .n_ports = 1 };
    }
    peers[0].cidr = "10.77.7.7/32";
    return (struct profile){ .name = "large", .repository = REPOSITORY, .mode = PROFILE_PROTECT,
                             .has_executables = true, .executables = programs, .n_executables = PROGRAMS,
                             .has_egress = true, .egress = peers, .n_egress = PORTS };
}

static void state_enter(enum state s)
{
    struct wall_settings set = settings_usual();
    struct profile p = profile_large();
    if (s == OFF)
        return;
    if (!walls_up(&set)) {
        printf("cannot: %s\n", g.why);
        exit(1);
    }
    if (s == PROTECT)
        profiles_set(&p, 1);
    box_known("a", IMAGE_DIGEST);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, by_size);
    return v[n / 2];
}

static void measure(const char *what, const char *const *argv)
{
    double p10[STATES][ROUNDS], p50[STATES][ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        for (int s = OFF; s < STATES; s++) {
            char out[256];
            long long a, b, c;
            int which = (s + round) % STATES;
            state_enter((enum state)which);
            crun_exec(&g.c, "a", argv, out, sizeof out);
            walls_down(false);
            if (sscanf(out, "p10 %lld p50 %lld p99 %lld", &a, &b, &c) != 3) {
                printf("cannot: %s\n", out);
                exit(1);
            }
            p10[which][round] = (double)a / 1000;
            p50[which][round] = (double)b / 1000;
        }
    }
    double base10 = median(p10[OFF], ROUNDS), base50 = median(p50[OFF], ROUNDS);
    for (int s = OFF; s < STATES; s++) {
        double m10 = median(p10[s], ROUNDS), m50 = median(p50[s], ROUNDS);
        printf("%-8s %-8s p10 %7.2f us (%.2f)   p50 %7.2f us (%.2f)\n", what, state_words[s], m10, m10 / base10, m50, m50 / base50);
    }
}

static double cpu_s(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Each connect is a new pair of addresses: nothing to fold. */
static void measure_events(void)
{
    char out[256], count[16];
    long long ns = 0;
    struct wall_status st;
    state_enter(OBSERVE);
    snprintf(count, sizeof count, "%d", BURST);
    double cpu = cpu_s();
    INSIDE("a", out, "burst", count);
    usleep(500000);
    cpu = cpu_s() - cpu;
    wall_status(g.w, &st);
    if (sscanf(out, "burst %lld", &ns) == 1)
        printf("events   %.0f/s for %d, %llu dropped, %.2f us of CPU each in the agent\n", (double)BURST * 1e9 / (double)ns, BURST,
               (unsigned long long)st.dropped, cpu * 1e6 / (double)(st.emitted ? st.emitted : 1));
    walls_down(false);
}

static long status_kib(const char *key)
{
    char line[256];
    long n = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, key, strlen(key)) == 0)
            n = strtol(line + strlen(key) + 1, NULL, 10);
    if (f)
        fclose(f);
    return n;
}

/* In a process of its own: what this one has used before does not count. */
static void measure_memory(void)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct wall_settings set = settings_usual();
        struct profile p = profile_large();
        struct err err = { 0 };
        long before = status_kib("VmRSS:");
        int64_t from = time_monotonic_ms();
        if (wall_open(&set, &g.w, &err) != 0)
            _exit(1);
        int64_t took = time_monotonic_ms() - from;
        profiles_set(&p, 1);
        for (int i = 0; i < 20; i++)
            wall_poll(g.w, 5, NULL, NULL, &err);
        printf("memory   %ld KiB resident, %ld before the walls, %ld at most; opened in %lld ms\n", status_kib("VmRSS:"), before,
               status_kib("VmHWM:"), (long long)took);
        fflush(stdout);
        wall_close(g.w, false);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static double seen_us;
static bool resolve(void *arg, const char *path, uint64_t id, struct container *out)
{
    const char *name = strrchr(path, '/') + 1;
    struct stat st;
    (void)arg, (void)id;
    if (strncmp(name, "born", 4) != 0 || stat(path, &st) != 0)
        return false;
    *out = (struct container){ .id = name, .image = REPOSITORY ":1", .runtime = "crun" };
    seen_us = (double)(now_us() - ((int64_t)st.st_ctim.tv_sec * 1000000 + st.st_ctim.tv_nsec / 1000));
    return true;
}

/* From the folder of the cgroup to the profile in the kernel, while crun creates. */
static void measure_births(void)
{
    static const char *const runtimes[] = { "/nonexistent" };
    struct wall_settings set = settings_usual();
    struct profile p = profile_large();
    double us[BIRTHS];
    set.resolve = resolve;
    set.runtimes = runtimes;
    if (!walls_up(&set))
        return;
    profiles_set(&p, 1);
    for (int i = 0; i < BIRTHS; i++) {
        char id[16];
        snprintf(id, sizeof id, "born%d", i);
        seen_us = -1;
        box_create(id, NULL);
        for (int k = 0; k < 100 && seen_us < 0; k++)
            usleep(2000);
        us[i] = seen_us;
        crun_delete(&g.c, id);
    }
    printf("start    a new cgroup has its profile %.0f us after it was made (p50 of %d, inotify alone)\n", median(us, BIRTHS), BIRTHS);
    walls_down(false);
}

int main(void)
{
    char execs[16], dials[16];
    snprintf(execs, sizeof execs, "%d", EXECS);
    snprintf(dials, sizeof dials, "%d", DIALS);
    const char *const exec_argv[] = { "/bin/inside", "time_exec", execs, "/bin/inside", "nothing", NULL };
    const char *const dial_argv[] = { "/bin/inside", "time_dial", "10.77.7.7", "1000", dials, NULL };
    if (!ground_open()) {
        printf("skipped: walls cannot be tried here: %s\n", g.why);
        ground_close();
        return 0;
    }
    box_create("a", &(struct crun_spec){ .host_network = false });
    crun_start(&g.c, "a");
    char line[160];                      /* an address that rules decide about (loopback's they do not), and that refuses */
    snprintf(line, sizeof line, "nsenter -t %ld -n ip addr add 10.77.7.7/32 dev lo", (long)crun_pid(&g.c, "a"));
    if (system(line) != 0)
        printf("connect: no address of its own: the way to it is missing, and measured alike in all three\n");
    measure("exec", exec_argv);
    measure("connect", dial_argv);
    measure_events();
    measure_memory();
    measure_births();
    ground_close();
    return 0;
}
