/* severity.h - how bad a finding is.  Rising order: compare with < and >.
 * UNKNOWN is the lowest value but not the mildest finding: who gates on
 * severity must decide about it on purpose. */
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
