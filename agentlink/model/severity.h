/* severity.h - how bad a finding is.  The first value is the safe one: not known. */
#ifndef KEEP_MODEL_SEVERITY_H
#define KEEP_MODEL_SEVERITY_H

enum severity {
    SEVERITY_UNKNOWN = 0,
    SEVERITY_NONE,
    SEVERITY_NEGLIGIBLE,
    SEVERITY_LOW,
    SEVERITY_MEDIUM,
    SEVERITY_HIGH,
    SEVERITY_CRITICAL,
    SEVERITY_N
};

#endif
