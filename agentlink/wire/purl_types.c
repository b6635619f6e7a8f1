/* purl_types.c - the type definitions of the purl specification that change or
 * forbid something, as a table.  A type without a row has no rules of its own. */
#include "wire/purl_types.h"

#include "base/str.h"

#include <string.h>

enum {
    NS_LOWER      = 1 << 0,
    NAME_LOWER    = 1 << 1,
    VERSION_LOWER = 1 << 2,
    NS_REQUIRED   = 1 << 3,
    NS_NONE       = 1 << 4,
    NS_UPPER      = 1 << 5,
    NAME_DASH     = 1 << 6,      /* '_' is '-' */
    NAME_PUB      = 1 << 7,      /* all but letters and digits is '_' */
};

static int check_chrome(struct purl *p, struct err *err);
static int check_cpan(struct purl *p, struct err *err);
static int check_julia(struct purl *p, struct err *err);
static int check_mlflow(struct purl *p, struct err *err);
static int check_swift(struct purl *p, struct err *err);

static const struct rule {
    const char *type;
    unsigned flags;
    int (*check)(struct purl *p, struct err *err);
} rules[] = {
    { "alpm",             NS_LOWER | NAME_LOWER, NULL },
    { "apk",              NS_LOWER | NAME_LOWER, NULL },
    { "bitbucket",        NS_LOWER | NAME_LOWER, NULL },
    { "bitnami",          NAME_LOWER, NULL },
    { "brew",             NS_LOWER | NAME_LOWER, NULL },
    { "chrome-extension", NAME_LOWER, check_chrome },
    { "composer",         NS_LOWER | NAME_LOWER, NULL },
    { "cpan",             NS_UPPER, check_cpan },
    { "deb",              NS_LOWER | NAME_LOWER, NULL },
    { "git",              NS_REQUIRED, NULL },
    { "github",           NS_LOWER | NAME_LOWER, NULL },
    { "hackage",          NAME_DASH, NULL },
    { "hex",              NS_LOWER | NAME_LOWER, NULL },
    { "huggingface",      VERSION_LOWER, NULL },
    { "julia",            0, check_julia },
    { "luarocks",         NS_LOWER | NAME_LOWER, NULL },
    { "mlflow",           0, check_mlflow },
    { "oci",              NAME_LOWER | VERSION_LOWER, NULL },
    { "otp",              NS_NONE | NAME_LOWER, NULL },
    { "pub",              NAME_LOWER | NAME_PUB, NULL },
    { "pypi",             NAME_LOWER | NAME_DASH | VERSION_LOWER, NULL },
    { "qpkg",             NS_LOWER, NULL },
    { "rpm",              NS_LOWER, NULL },
    { "swift",            NS_REQUIRED, check_swift },
    { "vcpkg",            NS_NONE, NULL },
    { "vscode-extension", NS_REQUIRED | NS_LOWER | NAME_LOWER | VERSION_LOWER, NULL },
    { "yocto",            NS_LOWER, NULL },
};

/* The strings are ours (see the header); only the struct shows them const. */
static char *writable(const char *s) { return (char *)(uintptr_t)s; }

static void lower(const char *s)
{
    if (s != NULL)
        str_lower(writable(s));
}

static void upper(const char *s)
{
    for (char *p = writable(s); p != NULL && *p != '\0'; p++) {
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 32);
    }
}

static bool is_lower_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/* Several bytes of one character become one '_' each: only ASCII is allowed there. */
static void respell_name(const char *name, unsigned flags)
{
    for (char *p = writable(name); *p != '\0'; p++) {
        if ((flags & NAME_DASH) && *p == '_')
            *p = '-';
        if ((flags & NAME_PUB) && !is_lower_alnum(*p))
            *p = '_';
    }
}

/* One to four numbers with dots. */
static bool is_chrome_version(const char *s)
{
    int n = 0;

    for (;;) {
        size_t digits = strspn(s, "0123456789");
        if (digits == 0 || ++n > 4)
            return false;
        s += digits;
        if (*s == '\0')
            return true;
        if (*s++ != '.')
            return false;
    }
}

static int check_chrome(struct purl *p, struct err *err)
{
    if (strlen(p->name) != 32 || strspn(p->name, "abcdefghijklmnop") != 32)
        return err_set(err, ERR_INVALID, "purl: a chrome-extension name is 32 letters a-p");
    if (p->version != NULL && !is_chrome_version(p->version))
        return err_set(err, ERR_INVALID, "purl: a chrome-extension version is one to four numbers");
    return 0;
}

static int check_cpan(struct purl *p, struct err *err)
{
    if (strstr(p->name, "::") != NULL)
        return err_set(err, ERR_INVALID, "purl: a cpan name is a distribution, not a module");
    return 0;
}

static int check_julia(struct purl *p, struct err *err)
{
    if (purl_qualifier(p, "uuid") == NULL)
        return err_set(err, ERR_INVALID, "purl: julia needs the qualifier uuid");
    return 0;
}

/* Databricks ignores case, Azure ML does not. */
static int check_mlflow(struct purl *p, struct err *err)
{
    const char *url = purl_qualifier(p, "repository_url");

    (void)err;
    if (url != NULL && strstr(url, "databricks") != NULL)
        lower(p->name);
    return 0;
}

static int check_swift(struct purl *p, struct err *err)
{
    if (strchr(p->namespace, '/') == NULL)
        return err_set(err, ERR_INVALID, "purl: a swift namespace is a host and an owner");
    return 0;
}

static const struct rule *rule_of(const char *type)
{
    for (size_t i = 0; i < N_ITEMS(rules); i++) {
        if (str_eq(rules[i].type, type))
            return &rules[i];
    }
    return NULL;
}

int purl_type_apply(struct purl *p, struct err *err)
{
    const struct rule *rule = rule_of(p->type);

    if (rule == NULL)
        return 0;
    if ((rule->flags & NS_REQUIRED) && p->namespace == NULL)
        return err_set(err, ERR_INVALID, "purl: %s needs a namespace", p->type);
    if ((rule->flags & NS_NONE) && p->namespace != NULL)
        return err_set(err, ERR_INVALID, "purl: %s has no namespace", p->type);
    if (rule->flags & NS_LOWER)
        lower(p->namespace);
    if (rule->flags & NS_UPPER)
        upper(p->namespace);
    if (rule->flags & NAME_LOWER)
        lower(p->name);
    if (rule->flags & VERSION_LOWER)
        lower(p->version);
    respell_name(p->name, rule->flags);
    return rule->check != NULL ? rule->check(p, err) : 0;
}
