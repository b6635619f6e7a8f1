/* idempotent.h - kept answers, as the dispatcher wants them (service/exec.h). */
#ifndef KEEP_SERVICE_IDEMPOTENT_H
#define KEEP_SERVICE_IDEMPOTENT_H

#include "service/exec.h"

extern const struct keep_answers idempotent_answers;

#endif
