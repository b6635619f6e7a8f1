/* zone.c - seconds east of UTC, of fixed offsets ("+02:00") and of zones of the
 * system's database (TZif, RFC 8536).
 *
 * TZ and tzset() are never touched.  A name is letters, digits, '_', '+', '-' and
 * '/', each part starting with a letter or digit: no way out of the directory.
 * A file has at most MAX_FILE bytes.  Zones written as literals are read when
 * the program is compiled, others once per evaluation. */
#include "core/cel/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZONE_DIR "/usr/share/zoneinfo/"

enum { MAX_FILE = 64 * 1024, MAX_NAME = 64, HEADER = 44 };

struct rule {                  /* of a POSIX TZ: Mm.w.d/time */
    int month, week, day;
    int32_t seconds;
};

struct cel_zone {
    const struct cel_zone *next;
    char name[MAX_NAME];
    bool missing;              /* there is no such zone: remembered, too */
    uint32_t n;                /* transitions */
    const unsigned char *times, *types, *offsets;          /* in the file's bytes */
    uint32_t n_types;
    bool has_rule, has_summer;
    int32_t standard, summer;  /* seconds east */
    struct rule begin, end;    /* of summer */
};

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const unsigned char *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* ---- the rule at the end of the file ---------------------------------------------------------- */

static int number(const char **s)
{
    int v = 0;

    for (int i = 0; i < 4 && **s >= '0' && **s <= '9'; i++)
        v = v * 10 + (*(*s)++ - '0');
    return v;
}

/* [+-]h[h][:mm[:ss]] in seconds. */
static int32_t clock_value(const char **s)
{
    int sign = **s == '-' ? -1 : 1;

    if (**s == '-' || **s == '+')
        (*s)++;
    int32_t v = number(s) * 3600;
    if (**s == ':') {
        (*s)++;
        v += number(s) * 60;
    }
    if (**s == ':') {
        (*s)++;
        v += number(s);
    }
    return sign * v;
}

static void skip_name(const char **s)
{
    if (**s == '<') {
        while (**s != '\0' && **s != '>')
            (*s)++;
        if (**s == '>')
            (*s)++;
    } else {
        while ((**s >= 'A' && **s <= 'Z') || (**s >= 'a' && **s <= 'z'))
            (*s)++;
    }
}

/* ",Mm.w.d[/time]"; the Julian forms are not used by the database. */
static bool day_rule(const char **s, struct rule *r)
{
    if ((*s)[0] != ',' || (*s)[1] != 'M')
        return false;
    *s += 2;
    r->month = number(s);
    if (*(*s)++ != '.')
        return false;
    r->week = number(s);
    if (*(*s)++ != '.')
        return false;
    r->day = number(s);
    r->seconds = 7200;
    if (**s == '/') {
        (*s)++;
        r->seconds = clock_value(s);
    }
    return r->month >= 1 && r->month <= 12 && r->week >= 1 && r->week <= 5 && r->day <= 6;
}

static void parse_rule(struct cel_zone *z, const char *s)
{
    skip_name(&s);
    if (*s == '\0')
        return;
    z->standard = -clock_value(&s);
    z->has_rule = true;
    if (*s == '\0')
        return;
    skip_name(&s);
    z->summer = z->standard + 3600;
    if (*s != ',')
        z->summer = -clock_value(&s);
    z->has_summer = day_rule(&s, &z->begin) && day_rule(&s, &z->end);
}

/* Seconds since 1970 (UTC) of the rule's day in that year, when the zone is at `offset`. */
static int64_t rule_time(const struct rule *r, int64_t year, int32_t offset)
{
    int64_t first = days_from_civil(year, r->month, 1);
    int64_t next = r->month == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, r->month + 1, 1);
    int64_t weekday = ((first + 4) % 7 + 7) % 7;
    int64_t day = first + (r->day - weekday + 7) % 7 + (r->week - 1) * 7;

    if (day >= next)
        day -= 7;
    return day * 86400 + r->seconds - offset;
}

static int32_t by_rule(const struct cel_zone *z, int64_t seconds)
{
    struct cel_civil local;

    if (!z->has_summer)
        return z->standard;
    civil_from_seconds(seconds + z->standard, &local);
    int64_t begin = rule_time(&z->begin, local.year, z->standard);
    int64_t end = rule_time(&z->end, local.year, z->summer);
    bool summer = begin < end ? seconds >= begin && seconds < end : seconds >= begin || seconds < end;
    return summer ? z->summer : z->standard;
}

/* ---- the file ------------------------------------------------------------------------------------ */

struct counts {
    uint64_t utc, std, leap, times, types, chars;
};

/* The block at p has room for what its header announces? */
static bool read_header(const unsigned char *p, size_t left, size_t wide, struct counts *c, size_t *size)
{
    if (left < HEADER || memcmp(p, "TZif", 4) != 0)
        return false;
    *c = (struct counts){ be32(p + 20), be32(p + 24), be32(p + 28), be32(p + 32), be32(p + 36), be32(p + 40) };
    uint64_t need = HEADER + c->times * (wide + 1) + c->types * 6 + c->chars + c->leap * (wide + 4) + c->std + c->utc;
    *size = need <= left ? (size_t)need : 0;
    return need <= left && c->types > 0;
}

static bool parse_file(struct cel_zone *z, const unsigned char *data, size_t len)
{
    struct counts c;
    size_t size;

    if (!read_header(data, len, 4, &c, &size) || data[4] < '2')
        return false;
    const unsigned char *second = data + size;         /* the block with 64-bit times */
    if (!read_header(second, len - size, 8, &c, &size))
        return false;
    z->n = (uint32_t)c.times;
    z->n_types = (uint32_t)c.types;
    z->times = second + HEADER;
    z->types = z->times + c.times * 8;
    z->offsets = z->types + c.times;
    for (uint32_t i = 0; i < z->n; i++) {
        if (z->types[i] >= z->n_types)
            return false;
    }
    const char *rule = (const char *)second + size;    /* "\nRULE\n"; the caller's NUL ends the data */
    if (*rule != '\n')
        return true;
    char text[128];
    size_t n = strcspn(rule + 1, "\n");
    if (n < sizeof text) {
        memcpy(text, rule + 1, n);
        text[n] = '\0';
        parse_rule(z, text);
    }
    return true;
}

static bool name_is_safe(const char *name, size_t len)
{
    bool first = true;

    if (len == 0 || len >= MAX_NAME)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && (first || (c != '_' && c != '+' && c != '-' && c != '/')))
            return false;
        first = c == '/';
    }
    return !first;
}

static unsigned char *read_file(struct cel_run *run, const char *path, size_t *len)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    unsigned char *data = NULL;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size <= MAX_FILE &&
        (data = (unsigned char *)run_bytes(run, (size_t)st.st_size + 1)) != NULL) {
        *len = (size_t)st.st_size;
        data[*len] = '\0';
        if (read(fd, data, *len) != (ssize_t)*len)
            data = NULL;
    }
    close(fd);
    return data;
}

static const struct cel_zone *zone_load(struct cel_run *run, const char *name, size_t len)
{
    char path[sizeof ZONE_DIR + MAX_NAME];
    struct cel_zone *z = run_alloc(run, 1, sizeof *z);
    size_t size = 0;

    if (z == NULL || !cel_pay(run, 200))
        return NULL;
    memcpy(z->name, name, len);
    snprintf(path, sizeof path, "%s%s", ZONE_DIR, z->name);
    const unsigned char *data = read_file(run, path, &size);
    z->missing = data == NULL || !parse_file(z, data, size);
    z->next = run->zones;
    run->zones = z;
    return z;
}

static const struct cel_zone *zone_get(struct cel_run *run, const char *name, size_t len)
{
    for (const struct cel_zone *z = run->zones; z != NULL; z = z->next) {
        if (strlen(z->name) == len && memcmp(z->name, name, len) == 0)
            return z;
    }
    return name_is_safe(name, len) ? zone_load(run, name, len) : NULL;
}

static int32_t type_offset(const struct cel_zone *z, uint32_t type)
{
    return (int32_t)be32(z->offsets + 6 * (size_t)type);
}

static int32_t offset_at(const struct cel_zone *z, int64_t seconds)
{
    uint32_t lo = 0, hi = z->n;

    while (lo < hi) {                  /* the first transition after `seconds` */
        uint32_t mid = lo + (hi - lo) / 2;
        if (be64(z->times + 8 * (size_t)mid) > seconds)
            hi = mid;
        else
            lo = mid + 1;
    }
    if (lo == z->n && z->has_rule)
        return by_rule(z, seconds);
    return type_offset(z, lo == 0 ? 0 : z->types[lo - 1]);
}

/* [+-]hh:mm */
static bool fixed_offset(const char *s, size_t len, int32_t *offset)
{
    bool west = len > 0 && s[0] == '-', sign = west || (len > 0 && s[0] == '+');

    if (len != 5u + sign || s[sign + 2] != ':')
        return false;
    const char *d = s + sign;
    int at[] = { 0, 1, 3, 4 }, v[4];
    for (int i = 0; i < 4; i++) {
        if (d[at[i]] < '0' || d[at[i]] > '9')
            return false;
        v[i] = d[at[i]] - '0';
    }
    int hours = v[0] * 10 + v[1], minutes = v[2] * 10 + v[3];
    if (hours > 23 || minutes > 59)
        return false;
    *offset = (west ? -1 : 1) * (hours * 60 + minutes) * 60;
    return true;
}

bool zone_offset(struct cel_run *run, const char *name, size_t len, int64_t seconds, int32_t *offset)
{
    if (fixed_offset(name, len, offset))
        return true;
    if (len == 0 || (len == 3 && memcmp(name, "UTC", 3) == 0)) {
        *offset = 0;
        return true;
    }
    const struct cel_zone *z = zone_get(run, name, len);
    if (z == NULL || z->missing)
        return false;
    *offset = offset_at(z, seconds);
    return true;
}
