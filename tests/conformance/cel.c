/* cel.c - the language's conformance cases: `cel FOLDER` reads FOLDER/cel/ *.ndjson
 * and names each disagreement.  Set CEL_VERBOSE to see every case. */
#include "core/cel/cases.h"
#include "base/str.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static bool verbose;

static void report(void *data, const struct cel_case *c)
{
    (void)data;
    if (!c->agreed)
        printf("cel: %s: expected %s, got %s (expression: %s)\n", c->name, c->expected, c->got, c->expr);
    else if (verbose)
        printf("cel: %s: %s agreed\n", c->name, c->got);
}

static int run_file(const char *folder, const char *name, struct cel_cases_sum *total)
{
    char path[1024];
    struct cel_cases_sum sum;
    struct err err = { 0 };

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        perror(path);
        return -1;
    }
    int rc = cel_cases_run(f, report, NULL, &sum, &err);
    fclose(f);
    if (rc != 0)
        printf("cel: %s: %s\n", name, err.msg);
    total->n += sum.n;
    total->agreed += sum.agreed;
    total->disagreed += sum.disagreed;
    return rc;
}

static int is_case_file(const struct dirent *d)
{
    return str_ends(d->d_name, ".ndjson");
}

int main(int argc, char **argv)
{
    char folder[512];
    struct dirent **files = NULL;
    struct cel_cases_sum total = { 0 };
    int failed = 0;

    verbose = getenv("CEL_VERBOSE") != NULL;
    snprintf(folder, sizeof folder, "%s/cel", argc > 1 ? argv[1] : ".");
    int n = scandir(folder, &files, is_case_file, alphasort);
    for (int i = 0; i < n; i++) {
        failed |= run_file(folder, files[i]->d_name, &total) != 0;
        free(files[i]);
    }
    free(files);
    printf("cel\t%u\t%u\t%u\n", total.n, total.agreed, total.disagreed);
    return failed != 0 || total.disagreed != 0;
}
