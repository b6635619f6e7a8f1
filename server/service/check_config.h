/* check_config.h - POST /v1/check: configuration judged before anything runs. */
#ifndef KEEP_SERVICE_CHECK_CONFIG_H
#define KEEP_SERVICE_CHECK_CONFIG_H

#include "service/call.h"

call_fn check_config;

#endif
