/* scan.h - shapes of scans, uploads and evidence. */
#ifndef KEEP_WIRE_MSG_SCAN_H
#define KEEP_WIRE_MSG_SCAN_H

#include "model/answer.h"
#include "wire/shape.h"

extern const struct shape scan_shape, scan_query_shape, scan_list_shape, scan_upload_query_shape, scan_result_shape;
extern const struct shape evidence_shape;

#endif
