/* severity.c - see severity.h.  A handful of words: read top to bottom. */
#include "wire/severity.h"

#include "base/str.h"

#include <string.h>

static const char *const names[SEVERITY_N] = {
    [SEVERITY_UNKNOWN]    = "unknown",
    [SEVERITY_NONE]       = "none",
    [SEVERITY_NEGLIGIBLE] = "negligible",
    [SEVERITY_LOW]        = "low",
    [SEVERITY_MEDIUM]     = "medium",
    [SEVERITY_HIGH]       = "high",
    [SEVERITY_CRITICAL]   = "critical",
};

static const struct {
    const char *word;
    enum severity severity;
} words[] = {
    { "critical",         SEVERITY_CRITICAL },
    { "high",             SEVERITY_HIGH },
    { "medium",           SEVERITY_MEDIUM },
    { "low",              SEVERITY_LOW },
    { "negligible",       SEVERITY_NEGLIGIBLE },
    { "unknown",          SEVERITY_UNKNOWN },
    { "none",             SEVERITY_NONE },
    { "moderate",         SEVERITY_MEDIUM },       /* Red Hat, GitHub, npm */
    { "important",        SEVERITY_HIGH },         /* Red Hat, SUSE, Oracle */
    { "defcon1",          SEVERITY_CRITICAL },     /* Clair */
    { "info",             SEVERITY_NEGLIGIBLE },   /* CycloneDX, GitLab */
    { "informational",    SEVERITY_NEGLIGIBLE },
    { "information",      SEVERITY_NEGLIGIBLE },
    { "minimal",          SEVERITY_NEGLIGIBLE },
    { "unimportant",      SEVERITY_NEGLIGIBLE },   /* Debian urgency */
    { "minor",            SEVERITY_LOW },
    { "major",            SEVERITY_HIGH },
    { "severe",           SEVERITY_HIGH },
    { "blocker",          SEVERITY_CRITICAL },
    { "emergency",        SEVERITY_CRITICAL },
    { "urgent",           SEVERITY_CRITICAL },
    { "error",            SEVERITY_HIGH },         /* SARIF levels */
    { "warning",          SEVERITY_MEDIUM },
    { "note",             SEVERITY_LOW },
    { "low**",            SEVERITY_LOW },          /* Debian: set by a script */
    { "medium**",         SEVERITY_MEDIUM },
    { "high**",           SEVERITY_HIGH },
    { "unspecified",      SEVERITY_UNKNOWN },
    { "unassigned",       SEVERITY_UNKNOWN },
    { "undefined",        SEVERITY_UNKNOWN },
    { "untriaged",        SEVERITY_UNKNOWN },      /* Ubuntu */
    { "not yet assigned", SEVERITY_UNKNOWN },      /* Debian */
    { "n/a",              SEVERITY_UNKNOWN },
};

enum { WORD_MAX = 32 };

bool severity_parse(const char *word, enum severity *out)
{
    char text[WORD_MAX];

    if (word == NULL)
        return false;
    word += strspn(word, " \t\r\n");
    size_t len = strnlen(word, WORD_MAX);
    if (len == WORD_MAX)
        return false;
    while (len > 0 && strchr(" \t\r\n", word[len - 1]) != NULL)
        len--;
    memcpy(text, word, len);
    text[len] = '\0';
    for (size_t i = 0; i < N_ITEMS(words); i++) {
        if (str_eq_nocase(text, words[i].word)) {
            *out = words[i].severity;
            return true;
        }
    }
    return false;
}

enum severity severity_from_word(const char *word)
{
    enum severity severity = SEVERITY_UNKNOWN;

    severity_parse(word, &severity);
    return severity;
}

const char *severity_to_word(enum severity severity)
{
    return names[(unsigned)severity < SEVERITY_N ? severity : SEVERITY_UNKNOWN];
}

enum severity severity_from_score(int tenths)
{
    if (tenths < 0 || tenths > 100)
        return SEVERITY_UNKNOWN;
    return tenths >= 90 ? SEVERITY_CRITICAL : tenths >= 70 ? SEVERITY_HIGH : tenths >= 40 ? SEVERITY_MEDIUM :
           tenths > 0 ? SEVERITY_LOW : SEVERITY_NONE;
}
