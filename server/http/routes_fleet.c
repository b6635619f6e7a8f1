/* routes_fleet.c - the routes of scans, images and the fleet. */
#include "http/routes_fleet.h"

#include "service/fleet.h"
#include "service/images.h"
#include "service/scans.h"
#include "wire/msg/fleet.h"
#include "wire/msg/image.h"
#include "wire/msg/page.h"
#include "wire/msg/scan.h"

#define MiB(n) ((size_t)(n) << 20)
#define READERS (WHO_PEOPLE | ROLE_CI)                       /* CI tokens see their own repositories */

const struct route routes_fleet[] = {
    /* ---- scans ---- */
    { .method = "POST", .path = "/v1/scans", .who = ROLE_CI | ROLE_ADMIN, .class = CLASS_WRITE, .body = BODY_RAW, .max_body = MiB(64),
      .query = &scan_upload_query_shape, .out = &scan_result_shape, .prepare = ingest_scan_prepare, .run = ingest_scan,
      .headers = ingest_scan_headers, .flags = ROUTE_IDEMPOTENT,
      .summary = "Upload a signed scan result; the answer carries the verdict." },
    { .method = "GET", .path = "/v1/scans", .who = READERS, .class = CLASS_READ, .query = &scan_query_shape, .out = &scan_list_shape,
      .run = scan_page, .summary = "List scans, newest first." },
    { .method = "GET", .path = "/v1/scans/{id}", .who = READERS, .class = CLASS_READ, .out = &scan_shape, .run = scan_show,
      .summary = "Show a scan." },
    { .method = "GET", .path = "/v1/evidence/{id}", .who = READERS, .class = CLASS_READ, .run = evidence_download,
      .summary = "Download evidence, byte for byte as it came." },
    { .method = "GET", .path = "/v1/evidence/{id}/info", .who = READERS, .class = CLASS_READ, .out = &evidence_shape,
      .run = evidence_show, .summary = "Say what a piece of evidence is and what it proves." },

    /* ---- images ---- */
    { .method = "GET", .path = "/v1/images", .who = READERS, .class = CLASS_READ, .query = &image_query_shape, .out = &image_list_shape,
      .run = image_page, .summary = "List images, the stalest first." },
    { .method = "POST", .path = "/v1/images", .who = ROLE_CI | ROLE_ADMIN, .class = CLASS_WRITE, .body = BODY_JSON, .max_body = 64 << 10,
      .in = &image_new_shape, .out = &image_shape, .run = image_register, .flags = ROUTE_IDEMPOTENT,
      .summary = "Register an image before its first scan." },
    { .method = "GET", .path = "/v1/images/{digest}", .who = READERS, .class = CLASS_READ, .out = &image_detail_shape,
      .run = image_show, .summary = "Show an image, by any of its digests." },
    { .method = "GET", .path = "/v1/images/{digest}/verdict", .who = READERS | ROLE_ADMISSION, .class = CLASS_READ,
      .out = &verdict_shape, .run = image_verdict, .summary = "Judge an image as of now." },
    { .method = "GET", .path = "/v1/images/{digest}/verdicts", .who = READERS, .class = CLASS_READ, .query = &page_query_shape,
      .out = &verdict_list_shape, .run = image_verdicts, .summary = "Every change of an image's verdict, with its cause." },
    { .method = "GET", .path = "/v1/images/{digest}/findings", .who = READERS, .class = CLASS_READ, .query = &finding_query_shape,
      .out = &finding_list_shape, .run = image_findings, .summary = "Findings of an image, the worst first." },
    { .method = "GET", .path = "/v1/images/{digest}/packages", .who = READERS, .class = CLASS_READ, .query = &package_query_shape,
      .out = &package_list_shape, .run = image_packages, .summary = "Packages of an image." },
    { .method = "GET", .path = "/v1/images/{digest}/issues", .who = READERS, .class = CLASS_READ, .out = &issue_list_shape,
      .run = image_issues, .summary = "Misconfigurations, secrets, licences and malware of an image." },
    { .method = "GET", .path = "/v1/images/{digest}/changes", .who = READERS, .class = CLASS_READ, .out = &change_list_shape,
      .run = image_changes, .summary = "Every change of an image's findings, with its cause." },

    /* ---- the fleet ---- */
    { .method = "GET", .path = "/v1/findings", .who = READERS, .class = CLASS_READ, .query = &holder_query_shape,
      .out = &holder_list_shape, .run = finding_page, .summary = "Which images have a vulnerability?" },
    { .method = "GET", .path = "/v1/vulnerabilities", .who = WHO_PEOPLE, .class = CLASS_READ, .query = &vulnerability_query_shape,
      .out = &vulnerability_list_shape, .run = vulnerability_page, .summary = "Vulnerabilities by the number of images that have them." },
    { .method = "GET", .path = "/v1/packages", .who = READERS, .class = CLASS_READ, .query = &package_find_query_shape,
      .out = &package_find_shape, .run = package_find_page, .summary = "Which images have a package, in a range of versions?" },
    { .method = "GET", .path = "/v1/packages/images", .who = READERS, .class = CLASS_READ, .query = &package_holder_query_shape,
      .out = &package_holder_list_shape, .run = package_holder_page, .summary = "The images that have a package, one by one." },
    { .method = "GET", .path = "/v1/posture", .who = WHO_PEOPLE, .class = CLASS_READ, .out = &posture_shape, .run = posture_show,
      .summary = "The fleet in numbers." },
    { .method = "GET", .path = "/v1/posture/trend", .who = WHO_PEOPLE, .class = CLASS_READ, .query = &trend_query_shape,
      .out = &trend_shape, .run = trend_show, .summary = "Open findings per day." },
    { .method = "POST", .path = "/v1/running", .who = ROLE_AGENT | ROLE_CI | ROLE_ADMIN, .class = CLASS_WRITE, .body = BODY_JSON,
      .max_body = MiB(16), .in = &running_in_shape, .out = &running_result_shape, .run = running_report, .flags = ROUTE_IDEMPOTENT,
      .summary = "Report everything that runs in a cluster." },
    { .method = "GET", .path = "/v1/running", .who = READERS, .class = CLASS_READ, .query = &running_query_shape,
      .out = &running_list_shape, .run = running_page, .summary = "What runs where." },
    { .method = "GET", .path = "/v1/repositories", .who = READERS, .class = CLASS_READ, .query = &repository_query_shape,
      .out = &repository_list_shape, .run = repository_page, .summary = "Repositories and their owners." },
    { .method = "POST", .path = "/v1/repositories", .who = ROLE_ANALYST | ROLE_ADMIN, .class = CLASS_WRITE, .body = BODY_JSON,
      .max_body = 16 << 10, .in = &repository_in_shape, .out = &repository_shape, .run = repository_set,
      .summary = "Name the team that owns a repository." },
};
const size_t n_routes_fleet = N_ITEMS(routes_fleet);
