/* images.h - handlers of everything about single images and lists of them. */
#ifndef KEEP_SERVICE_IMAGES_H
#define KEEP_SERVICE_IMAGES_H

#include "service/call.h"

call_fn image_page, image_show, image_register, image_verdict, image_verdicts, image_findings, image_packages, image_issues,
        image_changes;

#endif
