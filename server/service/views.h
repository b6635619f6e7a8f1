/* views.h - stored rows as the API shows them.  Texts are borrowed from the rows. */
#ifndef KEEP_SERVICE_VIEWS_H
#define KEEP_SERVICE_VIEWS_H

#include "model/answer.h"
#include "store/finding.h"
#include "store/package.h"
#include "store/running.h"
#include "store/scan.h"

struct call;

/* -1: the arena is full. */
int scan_view(const struct scan_row *row, struct arena *arena, struct scan_answer *out, struct err *err);
int finding_view(const struct image_finding *f, struct arena *arena, struct finding_answer *out, struct err *err);
int brief_view(const struct call *c, const struct image *image, struct image_brief *out, struct err *err);

/* Only when the caller may see the repository. */
bool may_see(const struct call *c, const char *repository);

#endif
