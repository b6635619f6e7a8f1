/* report_internal.h - what the writers of the three formats share. */
#ifndef KEEP_DEMO_REPORT_INTERNAL_H
#define KEEP_DEMO_REPORT_INTERNAL_H

#include "base/str.h"
#include "base/time.h"
#include "demo/report.h"
#include "wire/jsonw.h"

#include <stdio.h>
#include <string.h>

#define TRIVY_VERSION "0.57.1"
#define GRYPE_VERSION "0.87.0"

struct writing {
    struct jsonw w;
    const struct demo_scan *scan;
    const struct held *held; size_t n_held;
    const struct found *found; size_t n_found;
};

enum { REFERENCE_TEXT = 160, PURL_TEXT = 240 };

/* REGISTRY/NAME:TAG or, with the separator '@', REGISTRY/NAME@DIGEST. */
void demo_reference(const struct demo_image *m, char out[REFERENCE_TEXT], char separator);
void demo_purl(const struct held *h, char out[PURL_TEXT]);

void trivy_write(struct writing *x);
void grype_write(struct writing *x);
void cyclonedx_write(struct writing *x);

#endif
