/* report_sbom.c - inventories: Syft, CycloneDX, SPDX. */
#include "tests/support/reports.h"

/* ---- Syft -------------------------------------------------------------------------- */

static const char syft[] =
    "{'artifacts':["
    "{'id':'a','name':'libcrypto3','version':'3.1.2-r0','type':'apk','licenses':[{'value':'Apache-2.0'}],'locations':[{'path':'/lib/apk/db/installed'}],"
    "'purl':'pkg:apk/alpine/libcrypto3@3.1.2-r0?arch=x86_64&distro=alpine-3.18.3&upstream=openssl','metadata':{'originPackage':'openssl','architecture':'x86_64'}},"
    "{'id':'b','name':'pip','version':'23.0','type':'python','licenses':['MIT'],'purl':'pkg:pypi/pip@23.0'},"
    "{'id':'c','name':'py3-own','version':'1','type':'python','purl':'pkg:pypi/py3-own@1'},"
    "{'id':'d','name':'thing','version':'1','type':'binary'}],"
    "'artifactRelationships':[{'parent':'a','child':'c','type':'ownership-by-file-overlap'},{'parent':'b','child':'d','type':'contains'}],"
    "'source':{'type':'image','metadata':{'userInput':'app:1','imageID':'" D3 "','manifestDigest':'" D1 "','repoDigests':['app@" D2 "'],'tags':['app:1'],'architecture':'amd64'}},"
    "'distro':{'id':'alpine','versionID':'3.18.3'},'descriptor':{'name':'syft','version':'1.32.0'},'schema':{'version':'16.0.1'},'files':[{},{}]}";

static void syft_is_an_inventory_without_a_time(void **state)
{
    struct scan *s = load(*state, syft);

    assert_int_equal(s->format, REPORT_SYFT);
    assert_true(s->has_inventory);
    assert_false(s->has_findings);
    assert_true(s->scanned_ms == TIME_UNKNOWN);
    assert_int_equal(s->image.n_digests, 2);
    assert_string_equal(s->image.config_digest, D3);
    assert_int_equal(s->n_unmapped, 2);
}

static void syft_packages_know_their_source(void **state)
{
    struct scan *s = load(*state, syft);

    assert_string_equal(s->packages[0].ecosystem, "Alpine:v3.18");
    assert_string_equal(s->packages[0].source_name, "openssl");
    assert_string_equal(s->packages[0].licences, "Apache-2.0");
    assert_string_equal(s->packages[1].licences, "MIT");
}

static void a_package_owned_by_the_system_is_not_evaluated_twice(void **state)
{
    struct scan *s = load(*state, syft);

    assert_int_equal(s->n_packages, 4);
    assert_true(s->packages[1].is_evaluable);
    assert_string_equal(s->packages[2].not_evaluable, "owned by a package of the system");
    assert_string_equal(s->packages[3].not_evaluable, "no advisories for this kind of package");
}

static void old_syft_kept_the_image_in_target(void **state)
{
    struct scan *s = load(*state, "{'artifacts':[],'source':{'type':'image','target':{'userInput':'x:2','manifestDigest':'" D1 "'}},"
                                  "'distro':{'name':'debian','version':'9'},'descriptor':{'name':'syft'}}");

    assert_string_equal(s->image.digests[0], D1);
    assert_string_equal(s->image.os_family, "debian");
    s = load(*state, "{'artifacts':null,'source':{'type':'directory','target':'/some/dir'},'schema':{}}");
    assert_string_equal(s->image.reference, "/some/dir");
}

/* ---- CycloneDX ----------------------------------------------------------------------- */

static const char bom[] =
    "{'bomFormat':'CycloneDX','specVersion':'1.6','metadata':{'timestamp':'2026-01-01T00:00:00Z','tools':{'components':[{'name':'trivy','version':'0.70'}]},"
    "'component':{'type':'container','name':'app:1','purl':'pkg:oci/app@sha256%3A1111111111111111111111111111111111111111111111111111111111111111?arch=amd64&repository_url=shop.example%2Fapp&tag=1',"
    "'properties':[{'name':'aquasecurity:trivy:ImageID','value':'" D3 "'},{'name':'aquasecurity:trivy:RepoDigest','value':'shop.example/app@" D2 "'}]}},"
    "'components':[{'bom-ref':'p1','type':'library','name':'bash','version':'5.2-1','purl':'pkg:deb/debian/bash@5.2-1?distro=debian-12',"
    "'properties':[{'name':'aquasecurity:trivy:SrcName','value':'bash'},{'name':'aquasecurity:trivy:SrcVersion','value':'5.2'},{'name':'aquasecurity:trivy:SrcRelease','value':'1'}],"
    "'components':[{'bom-ref':'p2','type':'library','group':'com.example','name':'inner','version':'1','purl':'pkg:maven/com.example/inner@1',"
    "'licenses':[{'license':{'id':'MIT'}},{'expression':'ISC OR BSD'}]}]},"
    "{'bom-ref':'os','type':'operating-system','name':'debian','version':'12.4'},"
    "{'bom-ref':'p3','type':'library','name':'odd','version':'1','purl':'not a purl'}],"
    "'vulnerabilities':[{'id':'CVE-1','ratings':[{'severity':'low'},{'severity':'high','score':7.5,'vector':'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N','source':{'name':'nvd'}}],"
    "'affects':[{'ref':'p1'},{'ref':'urn:cdx:abc/1#p2'},{'ref':'p1'}]},"
    "{'id':'CVE-2','analysis':{'state':'not_affected','justification':'code_not_reachable'},'affects':[{'ref':'elsewhere'}]}],"
    "'services':[{}]}";

static void nested_components_are_rows(void **state)
{
    struct scan *s = load(*state, bom);

    assert_int_equal(s->format, REPORT_CYCLONEDX);
    assert_int_equal(s->n_packages, 4);
    assert_string_equal(s->packages[0].source_version, "5.2-1");
    assert_string_equal(s->packages[1].name, "com.example:inner");
    assert_string_equal(s->packages[1].licences, "MIT, ISC OR BSD");
    assert_string_equal(s->packages[2].not_evaluable, "not a package");
    assert_null(s->packages[3].purl);
}

static void the_subject_of_a_bom_has_its_digests(void **state)
{
    struct scan *s = load(*state, bom);

    assert_int_equal(s->image.n_digests, 2);
    assert_string_equal(s->image.config_digest, D3);
    assert_string_equal(s->image.os_family, "debian");
    assert_string_equal(s->scanner, "trivy");
    assert_int_equal(s->image.n_tags, 2);
}

static void one_finding_for_each_component_affected(void **state)
{
    struct scan *s = load(*state, bom);

    assert_int_equal(s->n_findings, 3);
    assert_int_equal(s->findings[0].package, 0);
    assert_int_equal(s->findings[1].package, 1);            /* through a BOM-Link */
    assert_int_equal(s->findings[0].severity, SEVERITY_HIGH);
    assert_string_equal(s->findings[0].severity_source, "nvd");
    assert_int_equal(s->findings[2].package, NO_PACKAGE);
    assert_string_equal(s->findings[2].suppressed, "not_affected: code_not_reachable");
}

static void an_empty_list_in_an_inventory_is_no_scan_result(void **state)
{
    struct scan *s = load(*state, "{'bomFormat':'CycloneDX','components':[{'name':'a'}],'vulnerabilities':[]}");

    assert_true(s->has_inventory);
    assert_false(s->has_findings);
    s = load(*state, "{'bomFormat':'CycloneDX','vulnerabilities':[{'id':'CVE-1','analysis':{'state':'resolved'}}]}");
    assert_false(s->has_findings);
}

static void components_nested_too_deeply_are_refused(void **state)
{
    struct fixture *f = *state;
    char text[8192];
    size_t n = (size_t)snprintf(text, sizeof text, "{'bomFormat':'CycloneDX'");

    for (int i = 0; i < 40; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, ",'components':[{'name':'x'");
    for (int i = 0; i < 40; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "}]");
    snprintf(text + n, sizeof text - n, "}");
    char *copy = quoted(f, text);
    assert_int_equal(report_parse(copy, strlen(copy), &f->arena, &f->scan, &f->err), -1);
    assert_int_equal(f->err.kind, ERR_TOO_LARGE);
}

/* ---- SPDX ------------------------------------------------------------------------------- */

static void spdx_takes_source_and_system_from_trivys_texts(void **state)
{
    struct scan *s = load(*state,
        "{'spdxVersion':'SPDX-2.3','SPDXID':'SPDXRef-DOCUMENT','name':'app','creationInfo':{'created':'2026-01-01T00:00:00Z','creators':['Organization: x','Tool: trivy-0.50.1']},"
        "'packages':[{'SPDXID':'SPDXRef-Package-1','name':'libssl3','versionInfo':'3.0.11-1','sourceInfo':'built package from: openssl 3.0.11-1','licenseDeclared':'NOASSERTION','licenseConcluded':'Apache-2.0',"
        "'externalRefs':[{'referenceCategory':'PACKAGE-MANAGER','referenceType':'purl','referenceLocator':'pkg:deb/debian/libssl3@3.0.11-1'}]},"
        "{'SPDXID':'SPDXRef-OperatingSystem-2','name':'debian','versionInfo':'12.4','primaryPackagePurpose':'OPERATING-SYSTEM'},"
        "{'SPDXID':'SPDXRef-ContainerImage-3','name':'app:1','primaryPackagePurpose':'CONTAINER','attributionTexts':['ImageID: " D3 "','RepoDigest: app@" D1 "','RepoTag: app:1']}],'files':[{}]}");

    assert_int_equal(s->format, REPORT_SPDX);
    assert_int_equal(s->n_packages, 3);
    assert_string_equal(s->packages[0].source_name, "openssl");
    assert_string_equal(s->packages[0].source_version, "3.0.11-1");
    assert_string_equal(s->packages[0].ecosystem, "Debian:12");
    assert_string_equal(s->packages[0].licences, "Apache-2.0");
    assert_true(s->packages[0].is_evaluable);
    assert_false(s->packages[1].is_evaluable || s->packages[2].is_evaluable);
    assert_string_equal(s->image.digests[0], D1);
    assert_string_equal(s->scanner, "trivy");
    assert_string_equal(s->scanner_version, "0.50.1");
}

static void a_package_without_purl_is_not_evaluable(void **state)
{
    struct scan *s = load(*state, "{'spdxVersion':'SPDX-2.2','packages':[{'name':'busybox','versionInfo':'1.36'}]}");

    assert_int_equal(s->n_packages, 1);
    assert_string_equal(s->packages[0].not_evaluable, "no purl");
}

static void spdx_lines_are_read_with_texts_over_several_lines(void **state)
{
    struct scan *s = load(*state,
        "# made by hand\nSPDXVersion: SPDX-2.2\nDocumentName: mine\nCreated: 2026-01-01T00:00:00Z\n\nPackageName: left\nPackageVersion: 1.0\n"
        "PackageCopyrightText: <text>one\nPackageName: not this\ntwo</text>\nExternalRef: PACKAGE-MANAGER purl pkg:npm/left@1.0\nPackageName: right\n");

    assert_int_equal(s->format, REPORT_SPDX);
    assert_int_equal(s->n_packages, 2);
    assert_string_equal(s->packages[0].purl, "pkg:npm/left@1.0");
    assert_true(s->packages[0].is_evaluable);
    assert_string_equal(s->packages[1].name, "right");
}

static void spdx_3_gives_its_packages(void **state)
{
    struct scan *s = load(*state, "{'@context':'https://spdx.org/rdf/3.0.1/spdx-context.jsonld','@graph':[{'type':'CreationInfo','created':'2026-01-01T00:00:00Z'},"
                                  "{'type':'software_Package','name':'left','software_packageVersion':'1.0','software_packageUrl':'pkg:npm/left@1.0'}]}");

    assert_int_equal(s->n_packages, 1);
    assert_true(s->packages[0].is_evaluable);
}

/* ---- ecosystems -------------------------------------------------------------------------- */

static void ecosystem(struct fixture *f, const char *purl, const char *expected, const char *why)
{
    char text[1024];

    snprintf(text, sizeof text, "{'bomFormat':'CycloneDX','components':[{'name':'n','version':'1','purl':'%s'}]}", purl);
    struct scan *s = load(f, text);
    assert_string_equal(s->packages[0].ecosystem, expected);
    if (why == NULL)
        assert_true(s->packages[0].is_evaluable);
    else
        assert_string_equal(s->packages[0].not_evaluable, why);
}

static void distributions_are_named_as_advisories_name_them(void **state)
{
    struct fixture *f = *state;

    ecosystem(f, "pkg:deb/ubuntu/n@1?distro=ubuntu-22.04", "Ubuntu:22.04:LTS", NULL);
    ecosystem(f, "pkg:deb/ubuntu/n@1?distro=ubuntu-23.10", "Ubuntu:23.10", NULL);
    ecosystem(f, "pkg:rpm/redhat/n@1?distro=rhel-9.3", "Red Hat:enterprise_linux:9", NULL);
    ecosystem(f, "pkg:rpm/rocky/n@1?distro=rocky-8.9", "Rocky Linux:8", NULL);
    ecosystem(f, "pkg:rpm/opensuse/n@1?distro=opensuse-leap-15.5", "openSUSE:Leap 15.5", NULL);
    ecosystem(f, "pkg:rpm/suse/n@1?distro=sles-15.4", "SUSE:Linux Enterprise Server 15 SP4", NULL);
    ecosystem(f, "pkg:apk/wolfi/n@1?distro=wolfi-20230201", "Wolfi", NULL);
    ecosystem(f, "pkg:rpm/amzn/n@1?distro=amzn-2", "Amazon Linux:2", "distribution not covered");
    ecosystem(f, "pkg:deb/n@1", "deb", "no distribution");
    ecosystem(f, "pkg:deb/debian/n@1", "Debian", "no distribution release");
    ecosystem(f, "pkg:golang/example.org/n@v1", "Go", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(syft_is_an_inventory_without_a_time), CASE(syft_packages_know_their_source),
        CASE(a_package_owned_by_the_system_is_not_evaluated_twice), CASE(old_syft_kept_the_image_in_target),
        CASE(nested_components_are_rows), CASE(the_subject_of_a_bom_has_its_digests),
        CASE(one_finding_for_each_component_affected), CASE(an_empty_list_in_an_inventory_is_no_scan_result),
        CASE(components_nested_too_deeply_are_refused), CASE(spdx_takes_source_and_system_from_trivys_texts),
        CASE(a_package_without_purl_is_not_evaluable), CASE(spdx_lines_are_read_with_texts_over_several_lines),
        CASE(spdx_3_gives_its_packages), CASE(distributions_are_named_as_advisories_name_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
