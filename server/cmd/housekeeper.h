/* housekeeper.h - the thread that looks after what time changes: verdicts that fall
 * due, sessions that end, scans beyond retention, last uses of tokens. */
#ifndef KEEP_CMD_HOUSEKEEPER_H
#define KEEP_CMD_HOUSEKEEPER_H

#include "base/err.h"
#include "base/log.h"
#include "service/app.h"

struct housekeeper;

int housekeeper_open(struct app *app, const struct log *log, struct housekeeper **out, struct err *err);

/* Ends the thread after the job it is in.  The writer must still be open.  NULL-safe. */
void housekeeper_close(struct housekeeper *h);

#endif
