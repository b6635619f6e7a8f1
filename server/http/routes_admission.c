/* routes_admission.c - see routes_admission.h.
 *
 * Object and oldObject go together and may have 3 MiB each; a refused body would be
 * a review that is not made. */
#include "http/routes_admission.h"

#include "service/review.h"
#include "wire/msg/admission.h"

#define MiB(n) ((size_t)(n) << 20)

const struct route routes_admission[] = {
    { .method = "POST", .path = "/v1/admission/validate", .who = ROLE_ADMISSION | ROLE_ADMIN, .class = CLASS_READ, .body = BODY_RAW,
      .max_body = MiB(10), .query = &review_query_shape, .run = review_validate,
      .summary = "Answer a Kubernetes AdmissionReview (admission.k8s.io/v1 or v1beta1)." },
    { .method = "POST", .path = "/v1/admission/image-review", .who = ROLE_ADMISSION | ROLE_ADMIN, .class = CLASS_READ, .body = BODY_RAW,
      .max_body = MiB(10), .query = &review_query_shape, .run = review_images,
      .summary = "Answer a Kubernetes ImageReview (imagepolicy.k8s.io/v1alpha1)." },
    { .method = "GET", .path = "/v1/admissions", .who = WHO_PEOPLE, .class = CLASS_READ, .query = &admission_query_shape,
      .out = &admission_list_shape, .run = admission_page, .summary = "What Kubernetes asked and was told, newest first." },
};
const size_t n_routes_admission = N_ITEMS(routes_admission);
