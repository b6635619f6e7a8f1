/* scans.h - handlers of uploads, scans and evidence. */
#ifndef KEEP_SERVICE_SCANS_H
#define KEEP_SERVICE_SCANS_H

#include "service/call.h"

extern const char *const ingest_scan_headers[];
call_fn ingest_scan_prepare, ingest_scan, scan_show, scan_page, evidence_download, evidence_show;

#endif
