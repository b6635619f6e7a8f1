/* admission_rules.h - what the API server checks in an answer, as an oracle: it
 * looks at the bytes alone and knows nothing of how they were made.
 *
 * After kubernetes' VerifyAdmissionResponse, its warning headers and audit
 * annotations, and the ImageReview of its image policy webhook. */
#ifndef KEEP_TESTS_ADMISSION_RULES_H
#define KEEP_TESTS_ADMISSION_RULES_H

#include "base/str.h"
#include "wire/json.h"

#include <string.h>

/* Characters, or -1 when there is a control character (Cc). */
static inline long rules_chars(const char *s)
{
    size_t len = strlen(s);
    long n = 0;

    for (size_t at = 0, step; at < len; at += step, n++) {
        const unsigned char *p = (const unsigned char *)s + at;
        step = str_utf8_len(s + at, len - at);
        if (step == 0 || p[0] < 0x20 || p[0] == 0x7f || (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0))
            return -1;
    }
    return n;
}

static inline bool rules_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool rules_qualified(const char *key)
{
    size_t n = strlen(key);

    for (size_t i = 0; i < n; i++) {
        if (!rules_alnum(key[i]) && (i == 0 || i + 1 == n || strchr("-_.", key[i]) == NULL))
            return false;
    }
    return n >= 1 && n <= 63;
}

static inline const char *rules_warnings(const struct json *list)
{
    long sum = 0;

    if (list != NULL && list->type != JSON_ARRAY)
        return "warnings: no list";
    for (uint32_t i = 0; i < json_len(list); i++) {
        const char *text = json_str(json_at(list, i), NULL);
        long n = text != NULL ? rules_chars(text) : -1;
        if (n < 1)
            return "warnings: not a text without control characters";
        if (n > 120)
            return "warnings: longer than 120 characters";
        sum += n;
    }
    return sum < 4096 ? NULL : "warnings: too many in all";
}

static inline const char *rules_annotations(const struct json *notes)
{
    bool verdict = false;

    if (notes == NULL || notes->type != JSON_OBJECT)
        return "auditAnnotations: not there";
    for (uint32_t i = 0; i < notes->n; i++) {
        const struct json_member *m = &notes->members[i];
        verdict |= str_eq(m->key, "verdict");
        if (!rules_qualified(m->key))
            return "auditAnnotations: a key is no qualified name";
        if (m->value.type != JSON_STRING || rules_chars(m->value.string) < 0)
            return "auditAnnotations: a value is no text";
    }
    return verdict ? NULL : "auditAnnotations: no verdict";
}

static inline bool rules_only(const struct json *object, const char *const *keys)
{
    for (uint32_t i = 0; i < json_n_members(object); i++) {
        size_t k = 0;
        while (keys[k] != NULL && !str_eq(keys[k], object->members[i].key))
            k++;
        if (keys[k] == NULL)
            return false;
    }
    return true;
}

static inline const char *rules_refusal(const struct json *status)
{
    const char *message = json_get_str(status, "message", "");

    if (json_int(json_get(status, "code"), 0) != 403 || !str_eq(json_get_str(status, "reason", NULL), "Forbidden"))
        return "status: not 403 Forbidden";
    return *message == '\0' ? "status: no message" : strlen(message) > 16 * 1024 ? "status: message over 16 KiB" : NULL;
}

/* Is the answer one to this question?  NULL, or what is wrong. */
static inline const char *rules_review(const struct json *asked, const struct json *answer)
{
    static const char *const top[] = { "kind", "apiVersion", "response", NULL };
    static const char *const inner[] = { "uid", "allowed", "status", "warnings", "auditAnnotations", NULL };
    const struct json *r = json_get(answer, "response"), *allowed = json_get(r, "allowed");
    const char *wrong;

    if (!json_is(answer, JSON_OBJECT) || !rules_only(answer, top))
        return "more than a review";
    if (!str_eq(json_get_str(answer, "kind", NULL), "AdmissionReview") ||
        !str_eq(json_get_str(answer, "apiVersion", NULL), json_get_str(asked, "apiVersion", "?")))
        return "not the kind and version asked in";
    if (!json_is(r, JSON_OBJECT) || !rules_only(r, inner))
        return "response: missing, or more than it may hold (a patch?)";
    if (!str_eq(json_get_str(r, "uid", NULL), json_get_str(json_get(asked, "request"), "uid", "")))
        return "response.uid: not the one asked with";
    if (!json_is(allowed, JSON_BOOL))
        return "response.allowed: no answer";
    if (allowed->boolean && json_get(r, "status") != NULL)
        return "response.status: beside allowed";
    if (!allowed->boolean && (wrong = rules_refusal(json_get(r, "status"))) != NULL)
        return wrong;
    wrong = rules_warnings(json_get(r, "warnings"));
    return wrong != NULL ? wrong : rules_annotations(json_get(r, "auditAnnotations"));
}

static inline const char *rules_image_review(const struct json *answer)
{
    static const char *const top[] = { "kind", "apiVersion", "status", NULL };
    static const char *const inner[] = { "allowed", "reason", "auditAnnotations", NULL };
    const struct json *s = json_get(answer, "status"), *allowed = json_get(s, "allowed");

    if (!json_is(answer, JSON_OBJECT) || !rules_only(answer, top))
        return "more than a review";
    if (!str_eq(json_get_str(answer, "kind", NULL), "ImageReview") ||
        !str_eq(json_get_str(answer, "apiVersion", NULL), "imagepolicy.k8s.io/v1alpha1"))
        return "not an ImageReview";
    if (!json_is(s, JSON_OBJECT) || !rules_only(s, inner) || !json_is(allowed, JSON_BOOL))
        return "status: no answer";
    if (!allowed->boolean && *json_get_str(s, "reason", "") == '\0')
        return "status.reason: a refusal without one";
    return rules_annotations(json_get(s, "auditAnnotations"));
}

static inline const char *rules_check(const struct json *asked, const struct json *answer)
{
    return str_eq(json_get_str(asked, "kind", NULL), "ImageReview") ? rules_image_review(answer) : rules_review(asked, answer);
}

#endif
