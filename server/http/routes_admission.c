/* routes_admission.c - see routes_admission.h.
 *
 * Object and oldObject go together and may have 3 MiB each; a refused body would be
 * a review that is not made. */
#include "http/routes_admission.h"

#include "service/review.h"
#include "wire/msg/admission.h"

#define MiB(n) ((size_t)(n) << 20)

#define REVIEW .method = "POST", .who = ROLE_ADMISSION | ROLE_ADMIN, .class = CLASS_READ, .body = BODY_RAW, .max_body = MiB(10)

const struct route routes_admission[] = {
    { REVIEW, .path = "/v1/admission/validate", .query = &review_query_shape, .run = review_validate,
      .summary = "Answer a Kubernetes AdmissionReview (admission.k8s.io/v1 or v1beta1)." },
    { REVIEW, .path = "/v1/admission/validate/{cluster}", .query = &review_query_shape, .run = review_validate,
      .summary = "The same for a cluster: the URL of a webhook may hold no query." },
    { REVIEW, .path = "/v1/admission/audit/{cluster}", .query = &review_query_shape, .run = review_audit,
      .summary = "The same, refusing nothing: what would be refused is warned about." },
    { REVIEW, .path = "/v1/admission/image-review", .query = &review_query_shape, .run = review_images,
      .summary = "Answer a Kubernetes ImageReview (imagepolicy.k8s.io/v1alpha1)." },
    { REVIEW, .path = "/v1/admission/image-review/{cluster}", .query = &review_query_shape, .run = review_images,
      .summary = "The same for a cluster." },
    { .method = "GET", .path = "/v1/admissions", .who = WHO_PEOPLE, .class = CLASS_READ, .query = &admission_query_shape,
      .out = &admission_list_shape, .run = admission_page, .summary = "What Kubernetes asked and was told, newest first." },
};
const size_t n_routes_admission = N_ITEMS(routes_admission);
