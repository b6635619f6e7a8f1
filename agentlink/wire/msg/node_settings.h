/* node_settings.h - the files of a bundle that are not profiles.  Open shapes: an older
 * agent skips what a newer server says. */
#ifndef KEEP_WIRE_MSG_NODE_SETTINGS_H
#define KEEP_WIRE_MSG_NODE_SETTINGS_H

#include "model/node_settings.h"
#include "wire/shape.h"

extern const struct shape node_settings_shape;       /* settings.json */

/* policies.json: {"policies": [...]} */
struct node_policies { const struct node_policy *policies; size_t n_policies; };
extern const struct shape node_policies_shape;

/* What holds when a bundle leaves it out, or there is none yet. */
extern const struct node_settings node_settings_default;

extern const struct shape bundle_list_shape;         /* page of struct bundle_info */
extern const struct shape trust_info_shape;

#endif
