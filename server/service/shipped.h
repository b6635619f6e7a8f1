/* shipped.h - the policies that come with Keep, for those above the service layer. */
#ifndef KEEP_SERVICE_SHIPPED_H
#define KEEP_SERVICE_SHIPPED_H

#include "core/shipped.h"

#endif
