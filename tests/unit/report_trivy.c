/* report_trivy.c - Trivy's reports in all their forms. */
#include "tests/support/reports.h"

static const char image[] =
    "{'SchemaVersion':2,'Trivy':{'Version':'0.70.1','Server':{'VulnerabilityDB':{'Version':2,'UpdatedAt':'2026-01-02T03:04:05Z'}}},"
    "'CreatedAt':'2026-01-03T00:00:00.5Z','ArtifactName':'shop.example/app:1.2','ArtifactType':'container_image',"
    "'Metadata':{'OS':{'Family':'debian','Name':'12.4'},'ImageID':'" D3 "','RepoTags':['shop.example/app:1.2'],"
    "'RepoDigests':['shop.example/app@" D1 "'],'ImageConfig':{'architecture':'arm64','config':{'Labels':"
    "{'org.opencontainers.image.base.name':'docker.io/library/debian:12'}}}},"
    "'Results':[{'Target':'shop.example/app:1.2 (debian 12.4)','Class':'os-pkgs','Type':'debian','Packages':["
    "{'ID':'libfoo1@1:2.0-3','Name':'libfoo1','Identifier':{'PURL':'pkg:deb/debian/libfoo1@2.0-3?arch=arm64&distro=debian-12.4&epoch=1','UID':'u1'},"
    "'Version':'2.0','Release':'3','Epoch':1,'Arch':'arm64','SrcName':'foo','SrcVersion':'2.0','SrcRelease':'3','SrcEpoch':1,'Licenses':['MIT','ISC']},"
    "{'Name':'bare'}],"
    "'Vulnerabilities':[{'VulnerabilityID':'CVE-2026-0001','VendorIDs':['DSA-1-1'],'PkgName':'libfoo1','InstalledVersion':'1:2.0-3',"
    "'FixedVersion':'1:2.0-4','Status':'fixed','Severity':'HIGH','SeveritySource':'debian','PkgIdentifier':{'UID':'u1'},"
    "'PrimaryURL':'https://advisories.example/1','PublishedDate':'2026-01-01T00:00:00Z','Title':'overflow',"
    "'CVSS':{'nvd':{'V3Vector':'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H','V3Score':9.8},'debian':{'V2Vector':'AV:N/AC:L/Au:N/C:P/I:P/A:P','V2Score':7.5}}},"
    "{'VulnerabilityID':'CVE-2026-0002','PkgName':'libfoo1','InstalledVersion':'1:2.0-3','Severity':'LOW','PrimaryURL':'javascript:alert(1)'}],"
    "'ExperimentalModifiedFindings':[{'Type':'vulnerability','Status':'not_affected','Statement':'not called','Finding':"
    "{'VulnerabilityID':'CVE-2026-0003','PkgName':'libfoo1','Severity':'CRITICAL'}}]},"
    "{'Target':'app/package-lock.json','Class':'lang-pkgs','Type':'npm','Packages':[{'ID':'left@1.0.0','Name':'left','Version':'1.0.0','Dev':true,"
    "'Identifier':{'PURL':'pkg:npm/left@1.0.0'}}]},"
    "{'Target':'Dockerfile','Class':'config','Misconfigurations':[{'ID':'DS-1','Severity':'HIGH','Status':'FAIL','Title':'root','CauseMetadata':{'StartLine':3,'EndLine':4}},"
    "{'ID':'DS-2','Severity':'LOW','Status':'PASS'}]},"
    "{'Target':'/etc/key','Class':'secret','Secrets':[{'RuleID':'some-token','Severity':'CRITICAL','Title':'Token','StartLine':7,'Match':'token = hunter2hunter2'}]},"
    "{'Target':'Node.js','Class':'license','Licenses':[{'Name':'GPL-3.0','Severity':'HIGH','PkgName':'left'}]}],"
    "'Unheard':{}}";

static void the_image_has_all_its_names(void **state)
{
    struct scan *s = load(*state, image);

    assert_int_equal(s->format, REPORT_TRIVY);
    assert_string_equal(s->image.reference, "shop.example/app:1.2");
    assert_int_equal(s->image.n_digests, 1);
    assert_string_equal(s->image.digests[0], D1);
    assert_string_equal(s->image.config_digest, D3);
    assert_int_equal(s->image.n_tags, 1);
    assert_string_equal(s->image.arch, "arm64");
    assert_string_equal(s->image.base_image, "docker.io/library/debian:12");
}

static void scanner_and_database_are_dated(void **state)
{
    struct scan *s = load(*state, image);
    int64_t at;

    assert_string_equal(s->scanner_version, "0.70.1");
    assert_string_equal(s->db_version, "2");
    assert_true(time_parse("2026-01-02T03:04:05Z", &at) && at == s->db_built_ms);
    assert_true(time_parse("2026-01-03T00:00:00.5Z", &at) && at == s->scanned_ms);
}

static void a_debian_version_is_put_together(void **state)
{
    struct scan *s = load(*state, image);

    assert_int_equal(s->n_packages, 3);
    assert_string_equal(s->packages[0].version, "1:2.0-3");
    assert_string_equal(s->packages[0].source_name, "foo");
    assert_string_equal(s->packages[0].source_version, "1:2.0-3");
    assert_string_equal(s->packages[0].ecosystem, "Debian:12");
    assert_string_equal(s->packages[0].licences, "MIT, ISC");
    assert_true(s->packages[0].is_evaluable);
    assert_false(s->packages[1].is_evaluable);
    assert_string_equal(s->packages[1].not_evaluable, "no version");
    assert_string_equal(s->packages[2].ecosystem, "npm");
    assert_string_equal(s->packages[2].path, "app/package-lock.json");
    assert_true(s->packages[2].is_dev);
    assert_true(s->has_inventory && s->has_findings && s->has_secrets_result);
}

static void a_finding_knows_its_package_and_scores(void **state)
{
    struct scan *s = load(*state, image);
    const struct finding *f = &s->findings[0];

    assert_int_equal(s->n_findings, 3);
    assert_int_equal(f->package, 0);
    assert_int_equal(f->severity, SEVERITY_HIGH);
    assert_string_equal(f->severity_source, "debian");
    assert_int_equal(f->status, STATUS_FIXED);
    assert_int_equal(f->n_aliases, 1);
    assert_string_equal(f->aliases[0], "DSA-1-1");
    assert_int_equal(f->n_cvss, 2);
    assert_string_equal(f->cvss[0].source, "debian");       /* whose severity it is comes first */
    assert_int_equal(f->cvss[0].claimed, 75);
    assert_int_equal(f->cvss[1].claimed, 98);
    assert_int_equal(f->cvss[1].score, -1);
    assert_string_equal(f->url, "https://advisories.example/1");
}

static void a_script_is_no_url(void **state)
{
    struct scan *s = load(*state, image);

    assert_null(s->findings[1].url);
    assert_int_equal(s->findings[1].status, STATUS_AFFECTED);
    assert_int_equal(s->findings[1].package, 0);            /* by name and version */
}

static void what_the_producer_ignores_is_kept_apart(void **state)
{
    struct fixture *f = *state;
    struct scan *s = load(f, image);
    struct report_counts c;

    assert_string_equal(s->findings[2].suppressed, "not_affected: not called");
    assert_int_equal(s->findings[2].status, STATUS_NOT_AFFECTED);
    assert_int_equal(s->n_suppressed, 1);
    assert_int_equal(report_count(s, &f->arena, &c, &f->err), 0);
    assert_int_equal(c.all.n, 3);
    assert_int_equal(c.active.n, 2);
    assert_int_equal(c.active.by_severity[SEVERITY_CRITICAL], 0);
}

static void issues_of_every_kind_are_told_apart(void **state)
{
    struct fixture *f = *state;
    struct scan *s = load(f, image);
    struct report_counts c;

    assert_int_equal(report_count(s, &f->arena, &c, &f->err), 0);
    assert_int_equal(c.issues[ISSUE_MISCONFIG], 2);
    assert_int_equal(c.misconfig_failed, 1);
    assert_int_equal(c.issues[ISSUE_SECRET], 1);
    assert_int_equal(c.issues[ISSUE_LICENCE], 1);
    assert_int_equal(s->issues[0].start_line, 3);
}

static void nothing_of_a_secret_is_kept(void **state)
{
    struct scan *s = load(*state, image);

    for (size_t i = 0; i < s->n_issues; i++) {
        if (s->issues[i].kind == ISSUE_SECRET) {
            assert_string_equal(s->issues[i].message, "masked (22 bytes)");
            assert_int_equal(s->issues[i].start_line, 7);
        }
    }
}

static void strange_members_are_counted(void **state)
{
    assert_int_equal(load(*state, image)->n_unmapped, 1);
}

static void no_results_means_nothing_found(void **state)
{
    struct scan *s = load(*state, "{'SchemaVersion':2,'ArtifactName':'a','ArtifactType':'container_image'}");

    assert_true(s->has_findings);
    assert_false(s->has_inventory);
    s = load(*state, "{'SchemaVersion':2,'ArtifactName':'a','Results':[{'Target':'x','Class':'os-pkgs','Vulnerabilities':null}]}");
    assert_true(s->has_findings);
    assert_int_equal(s->n_findings, 0);
}

static void misconfigurations_alone_are_no_vulnerability_scan(void **state)
{
    struct scan *s = load(*state, "{'SchemaVersion':2,'ArtifactName':'a','Results':[{'Target':'x','Class':'config',"
                                  "'Misconfigurations':[{'ID':'A','Status':'FAIL'}]}]}");

    assert_false(s->has_findings);
    assert_int_equal(s->n_issues, 1);
}

static void an_image_id_that_is_the_digest_is_not_told_apart(void **state)
{
    struct scan *s = load(*state, "{'SchemaVersion':2,'ArtifactName':'a','Metadata':{'ImageID':'" D1 "','RepoDigests':['a@" D1 "','b@" D2 "','c@" D2 "']}}");

    assert_null(s->image.config_digest);
    assert_int_equal(s->image.n_digests, 2);
}

static void a_bad_digest_is_dropped_and_counted(void **state)
{
    struct scan *s = load(*state, "{'SchemaVersion':2,'ArtifactName':'a','Metadata':{'RepoDigests':['a@sha256:12','a@" D1 "']}}");

    assert_int_equal(s->image.n_digests, 1);
    assert_int_equal(s->n_unmapped, 1);
}

static void the_bare_array_is_read(void **state)
{
    struct scan *s = load(*state, "[{'Target':'alpine:3.9 (alpine 3.9.4)','Type':'alpine','Vulnerabilities':[{'VulnerabilityID':'CVE-1-1','PkgName':'a',"
                                  "'InstalledVersion':'1','FixedVersion':'2','Severity':'UNKNOWN'},{'PkgName':'b'}]},{'Target':'x','Vulnerabilities':null}]");

    assert_int_equal(s->format, REPORT_TRIVY_LEGACY);
    assert_int_equal(s->n_findings, 2);
    assert_string_equal(s->image.os_family, "alpine");
    assert_string_equal(s->image.os_version, "3.9.4");
    assert_string_equal(s->findings[1].id, "unnamed");
}

static void a_cluster_report_names_the_resource(void **state)
{
    struct scan *s = load(*state, "{'ClusterName':'c','Resources':[{'Namespace':'shop','Kind':'Deployment','Name':'web','Results':[{'Target':'t','Class':'lang-pkgs',"
                                  "'Vulnerabilities':[{'VulnerabilityID':'CVE-1-1','PkgName':'a'}],'Misconfigurations':[{'ID':'K','Status':'FAIL'}]}]}]}");

    assert_int_equal(s->format, REPORT_TRIVY_K8S);
    assert_string_equal(s->findings[0].path, "shop/Deployment/web: t");
    assert_string_equal(s->issues[0].file, "shop/Deployment/web: t");
    assert_int_equal(s->image.n_digests, 0);
}

static void an_operator_report_is_read(void **state)
{
    struct scan *s = load(*state, "{'apiVersion':'aquasecurity.github.io/v1alpha1','kind':'VulnerabilityReport','metadata':{'name':'r'},'report':{"
                                  "'artifact':{'repository':'library/app','tag':'1','digest':'" D1 "'},'registry':{'server':'index.docker.io'},"
                                  "'scanner':{'name':'Trivy','version':'0.69'},'updateTimestamp':'2026-01-01T00:00:00Z','os':{'family':'alpine','name':'3.20'},"
                                  "'vulnerabilities':[{'vulnerabilityID':'CVE-1-1','resource':'zlib','installedVersion':'1','fixedVersion':'','severity':'MEDIUM','score':5.5}]}}");

    assert_int_equal(s->format, REPORT_TRIVY_OPERATOR);
    assert_string_equal(s->image.reference, "index.docker.io/library/app:1");
    assert_string_equal(s->image.digests[0], D1);
    assert_int_equal(s->findings[0].severity, SEVERITY_MEDIUM);
    assert_int_equal(s->findings[0].cvss[0].claimed, 55);
    assert_null(s->findings[0].fixed_version);
}

static void operator_checks_and_secrets_are_issues(void **state)
{
    struct scan *s = load(*state, "{'apiVersion':'v1','kind':'List','items':[{'apiVersion':'aquasecurity.github.io/v1alpha1','kind':'ConfigAuditReport','metadata':{'name':'p'},"
                                  "'report':{'checks':[{'checkID':'KSV1','severity':'LOW','success':false,'messages':['a','b']},{'checkID':'KSV2','success':true}]}},"
                                  "{'apiVersion':'aquasecurity.github.io/v1alpha1','kind':'ExposedSecretReport','report':{'secrets':[{'ruleID':'r','match':'AKIAVALUE','target':'/f'}]}}]}");

    assert_int_equal(s->n_issues, 3);
    assert_string_equal(s->issues[0].message, "a, b");
    assert_string_equal(s->issues[0].status, "FAIL");
    assert_string_equal(s->issues[1].status, "PASS");
    assert_string_equal(s->issues[2].message, "masked (9 bytes)");
    assert_false(s->has_findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_image_has_all_its_names), CASE(scanner_and_database_are_dated), CASE(a_debian_version_is_put_together),
        CASE(a_finding_knows_its_package_and_scores), CASE(a_script_is_no_url), CASE(what_the_producer_ignores_is_kept_apart),
        CASE(issues_of_every_kind_are_told_apart), CASE(nothing_of_a_secret_is_kept), CASE(strange_members_are_counted),
        CASE(no_results_means_nothing_found), CASE(misconfigurations_alone_are_no_vulnerability_scan),
        CASE(an_image_id_that_is_the_digest_is_not_told_apart), CASE(a_bad_digest_is_dropped_and_counted),
        CASE(the_bare_array_is_read), CASE(a_cluster_report_names_the_resource), CASE(an_operator_report_is_read),
        CASE(operator_checks_and_secrets_are_issues),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
