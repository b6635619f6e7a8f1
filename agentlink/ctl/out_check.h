/* out_check.h - the writers of configuration checks. */
#ifndef KEEP_CTL_OUT_CHECK_H
#define KEEP_CTL_OUT_CHECK_H

#include "ctl/out.h"

OUT_CHECK(out_text_check);
OUT_CHECK(out_json_check);
OUT_CHECK(out_markdown_check);
OUT_CHECK(out_sarif_check);
OUT_CHECK(out_junit_check);
OUT_CHECK(out_gitlab_check);
OUT_CHECK(out_codequality_check);
OUT_CHECK(out_github_check);

#endif
