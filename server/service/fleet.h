/* fleet.h - handlers of questions about all images at once. */
#ifndef KEEP_SERVICE_FLEET_H
#define KEEP_SERVICE_FLEET_H

#include "service/call.h"

call_fn finding_page, vulnerability_page, package_find_page, package_holder_page, running_report, running_page, repository_page, repository_set,
        posture_show, trend_show;

#endif
