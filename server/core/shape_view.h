/* shape_view.h - a struct that has a shape, as a value of the expression language: all
 * that its JSON would say, without making it.  Nothing is copied but what has another
 * form there: times and words are texts. */
#ifndef KEEP_CORE_SHAPE_VIEW_H
#define KEEP_CORE_SHAPE_VIEW_H

#include "core/cel/cel.h"
#include "wire/shape.h"

/* A map; borrows the struct, lives in the arena.  CEL_ERROR: the arena is full. */
struct cel_value shape_view(const struct shape *shape, const void *in, struct arena *arena);

#endif
