/* policy_doc.h - messages about policies and their versions. */
#ifndef KEEP_WIRE_MSG_POLICY_DOC_H
#define KEEP_WIRE_MSG_POLICY_DOC_H

#include "model/policy_doc.h"
#include "wire/msg/page.h"

enum { POLICY_DOCUMENT_MAX = 256 * 1024 };

extern const struct shape policy_doc_shape;         /* struct policy_doc */
extern const struct shape policy_doc_list_shape;    /* struct page */
extern const struct shape policy_version_list_shape;

#endif
