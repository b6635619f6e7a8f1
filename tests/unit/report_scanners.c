/* report_scanners.c - Grype, SARIF, Clair and kin, Harbor, GitLab, OSV-Scanner, predicates. */
#include "tests/support/reports.h"

/* ---- Grype ------------------------------------------------------------------------------ */

static const char grype[] =
    "{'matches':[{'vulnerability':{'id':'GHSA-aaaa-bbbb-cccc','dataSource':'https://advisories.example/g','namespace':'github:language:python','severity':'High',"
    "'cvss':[{'source':'ghsa','version':'3.1','vector':'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H','metrics':{'baseScore':7.5}}],"
    "'epss':[{'cve':'CVE-2026-5','epss':0.25,'percentile':0.9}],'knownExploited':[{'cve':'CVE-2026-5'}],'fix':{'versions':['1.1','2.0'],'state':'fixed'}},"
    "'relatedVulnerabilities':[{'id':'CVE-2026-5'}],'artifact':{'name':'lib','version':'1.0','type':'python','purl':'pkg:pypi/lib@1.0','locations':[{'path':'/p'}]}},"
    "{'vulnerability':{'id':'CVE-2026-6','severity':'Negligible','fix':{'versions':[],'state':'wont-fix'}},'artifact':{'name':'lib','version':'1.0','type':'python'}},"
    "{'vulnerability':{'id':'CVE-2026-7','severity':'Critical','fix':{'state':'not-fixed'}},'artifact':{'name':'bsdutils','version':'1:2.38','type':'deb','purl':'pkg:deb/debian/bsdutils@1%3A2.38',"
    "'upstreams':[{'name':'util-linux','version':'2.38'}]}}],"
    "'ignoredMatches':[{'vulnerability':{'id':'CVE-2026-8','severity':'Critical'},'artifact':{'name':'x','version':'1'},'appliedIgnoreRules':[{'vex-status':'not_affected','vex-justification':'component_not_present'}]}],"
    "'source':{'type':'image','target':{'userInput':'app:1','manifestDigest':'" D1 "','imageID':'" D3 "','repoDigests':['app@" D2 "'],'architecture':'amd64'}},"
    "'distro':{'name':'debian','version':'12'},"
    "'descriptor':{'name':'grype','version':'0.94.0','timestamp':'2026-01-02T00:00:00Z','db':{'status':{'schemaVersion':'v6.0.2','built':'2026-01-01T00:00:00Z'}}}}";

static void grype_findings_carry_epss_and_kev(void **state)
{
    struct scan *s = load(*state, grype);
    const struct finding *f = &s->findings[0];

    assert_int_equal(s->format, REPORT_GRYPE);
    assert_true(f->is_kev);
    assert_true(f->epss > 0.24 && f->epss < 0.26);
    assert_string_equal(f->aliases[0], "CVE-2026-5");
    assert_string_equal(f->fixed_version, "1.1, 2.0");
    assert_int_equal(f->cvss[0].claimed, 75);
    assert_int_equal(s->findings[1].status, STATUS_WILL_NOT_FIX);
    assert_int_equal(s->findings[1].severity, SEVERITY_NEGLIGIBLE);
    assert_false(s->findings[1].is_kev);
    assert_true(s->findings[1].epss < 0);
}

static void grype_packages_are_the_matched_ones(void **state)
{
    struct scan *s = load(*state, grype);

    assert_int_equal(s->n_packages, 2);
    assert_false(s->has_inventory);
    assert_int_equal(s->findings[0].package, s->findings[1].package);
    assert_string_equal(s->packages[1].source_name, "util-linux");
    assert_string_equal(s->packages[1].source_version, "2.38");
    assert_string_equal(s->packages[1].ecosystem, "Debian:12");
}

static void grype_says_how_old_its_database_is(void **state)
{
    struct scan *s = load(*state, grype);
    int64_t at;

    assert_true(time_parse("2026-01-01T00:00:00Z", &at) && s->db_built_ms == at);
    assert_string_equal(s->db_version, "v6.0.2");
    s = load(*state, "{'matches':[],'descriptor':{'name':'grype','db':{'built':'2026-01-01T00:00:00Z','schemaVersion':5}}}");
    assert_true(s->db_built_ms == at);
    assert_string_equal(s->db_version, "5");
}

static void ignored_matches_are_suppressed(void **state)
{
    struct scan *s = load(*state, grype);

    assert_int_equal(s->n_findings, 4);
    assert_int_equal(s->n_suppressed, 1);
    assert_string_equal(s->findings[3].suppressed, "not_affected: component_not_present");
}

static void end_of_life_is_no_vulnerability_scan(void **state)
{
    struct scan *s = load(*state, "{'matches':[{'Cycle':{'ProductName':'PHP','ReleaseCycle':'7.4','Eol':'2022-11-28'},'artifact':{'name':'php','version':'7.4'}}],'descriptor':{'name':'xeol'}}");

    assert_false(s->has_findings);
    assert_int_equal(s->findings[0].status, STATUS_END_OF_LIFE);
}

/* ---- SARIF ------------------------------------------------------------------------------- */

static void sarif_sentences_give_the_package(void **state)
{
    struct scan *s = load(*state,
        "{'version':'2.1.0','runs':[{'tool':{'driver':{'name':'Trivy','version':'0.70','rules':[{'id':'CVE-2026-1','shortDescription':{'text':'bad'},'helpUri':'https://a.example','properties':{'security-severity':'9.8','tags':['vulnerability']}},"
        "{'id':'DS-1','properties':{'tags':['misconfiguration']}},{'id':'key','properties':{'tags':['secret']}}]}},"
        "'results':[{'ruleId':'CVE-2026-1','level':'error','message':{'text':'Package: apt\\nInstalled Version: 2.6\\nVulnerability CVE-2026-1\\nSeverity: CRITICAL\\nFixed Version: 2.7\\nLink: x'}},"
        "{'ruleId':'CVE-2026-1','suppressions':[{'kind':'external','justification':'accepted'}]},{'ruleIndex':1,'level':'warning'},{'ruleId':'key','message':{'text':'Match: s3cr3t'}}],"
        "'properties':{'imageName':'app:1','repoDigests':['app@" D1 "'],'imageID':'" D3 "'}}]}");

    assert_int_equal(s->format, REPORT_SARIF);
    assert_int_equal(s->n_findings, 2);
    assert_string_equal(s->findings[0].package_name, "apt");
    assert_string_equal(s->findings[0].package_version, "2.6");
    assert_string_equal(s->findings[0].fixed_version, "2.7");
    assert_int_equal(s->findings[0].severity, SEVERITY_CRITICAL);
    assert_string_equal(s->findings[1].suppressed, "accepted");
    assert_int_equal(s->n_issues, 2);
    assert_int_equal(s->issues[0].kind, ISSUE_MISCONFIG);
    assert_string_equal(s->issues[0].id, "DS-1");
    assert_string_equal(s->issues[1].message, "masked (13 bytes)");
    assert_string_equal(s->image.digests[0], D1);
    assert_true(s->has_findings);
    assert_false(s->has_inventory);
}

static void grypes_rule_ids_lose_the_package(void **state)
{
    struct scan *s = load(*state,
        "{'version':'2.1.0','runs':[{'tool':{'driver':{'name':'grype','rules':[{'id':'CVE-2026-1-left-pad','help':{'text':'Vulnerability CVE-2026-1\\nPackage: left-pad\\nVersion: 1.0\\nFix Version: 2.0'}}]}},"
        "'results':[{'ruleId':'CVE-2026-1-left-pad','level':'note'}]}]}");

    assert_string_equal(s->findings[0].id, "CVE-2026-1");
    assert_string_equal(s->findings[0].aliases[0], "CVE-2026-1-left-pad");
    assert_string_equal(s->findings[0].package_name, "left-pad");
    assert_int_equal(s->findings[0].severity, SEVERITY_LOW);
}

static void a_linter_says_nothing_about_vulnerabilities(void **state)
{
    assert_false(load(*state, "{'version':'2.1.0','runs':[{'tool':{'driver':{'name':'lint'}},'results':[]}]}")->has_findings);
}

/* ---- Clair ---------------------------------------------------------------------------------- */

static void clair_pairs_become_findings(void **state)
{
    struct scan *s = load(*state,
        "{'manifest_hash':'" D1 "','packages':{'1':{'id':'1','name':'libc6','version':'2.36-9','kind':'binary','source':{'name':'glibc','version':'2.36-9'},'arch':'amd64'},'2':{'id':2,'name':'libc-bin','version':'2.36-9'}},"
        "'distributions':{'d':{'did':'debian','version_id':'12'}},'environments':{'1':[{'package_db':'var/lib/dpkg/status','distribution_id':'d'}]},"
        "'vulnerabilities':{'v':{'name':'CVE-2026-9 glibc','normalized_severity':'High','fixed_in_version':'0:0','links':'https://a.example/1 https://b.example','updater':'debian'},'w':{'name':'CVE-2026-10','normalized_severity':'Low'}},"
        "'package_vulnerabilities':{'1':['v'],'2':['v','gone']}}");

    assert_int_equal(s->format, REPORT_CLAIR);
    assert_string_equal(s->image.digests[0], D1);
    assert_int_equal(s->n_packages, 2);
    assert_string_equal(s->packages[0].ecosystem, "Debian:12");
    assert_string_equal(s->packages[0].source_name, "glibc");
    assert_int_equal(s->n_findings, 4);                     /* two pairs, one dangling, one without a package */
    assert_string_equal(s->findings[0].id, "CVE-2026-9");
    assert_null(s->findings[0].fixed_version);
    assert_string_equal(s->findings[0].url, "https://a.example/1");
    assert_string_equal(s->findings[2].id, "gone");
    assert_int_equal(s->findings[3].package, NO_PACKAGE);
}

static void an_index_report_is_an_inventory(void **state)
{
    struct scan *s = load(*state, "{'manifest_hash':'" D1 "','packages':{'1':{'name':'a','version':'1'}},'state':'IndexFinished'}");

    assert_true(s->has_inventory);
    assert_false(s->has_findings);
}

static void clair_scanner_approves(void **state)
{
    struct scan *s = load(*state, "{'image':'app:1','unapproved':['CVE-1'],'vulnerabilities':[{'vulnerability':'CVE-1','featurename':'a','featureversion':'1','severity':'High','fixedby':'2'},"
                                  "{'vulnerability':'CVE-2','featurename':'b','severity':'Defcon1'}]}");

    assert_null(s->findings[0].suppressed);
    assert_string_equal(s->findings[1].suppressed, "approved");
    assert_int_equal(s->findings[1].severity, SEVERITY_CRITICAL);
}

static void klar_lists_by_severity(void **state)
{
    struct scan *s = load(*state, "{'LayerCount':3,'Vulnerabilities':{'High':[{'Name':'CVE-1','FeatureName':'a','FixedBy':'2'}],'Low':[{'Name':'CVE-2','Severity':'Low'}]}}");

    assert_int_equal(s->n_findings, 2);
    assert_int_equal(s->findings[0].severity, SEVERITY_HIGH);
}

/* ---- Harbor, GitLab --------------------------------------------------------------------------- */

static void harbor_is_read_under_its_media_type(void **state)
{
    struct scan *s = load(*state, "{'application/vnd.security.vulnerability.report; version=1.1':{'generated_at':'2026-01-01T00:00:00Z','artifact':{'repository':'lib/app','digest':'" D1 "','tag':'1'},"
                                  "'scanner':{'name':'Trivy','version':'v0.50','properties':{'harbor.scanner-adapter/vulnerability-database-updated-at':'2025-12-31T00:00:00Z'}},"
                                  "'vulnerabilities':[{'id':'CVE-1','package':'a','version':'1','fix_version':'2','severity':'Medium','links':['ftp://x','https://a.example'],"
                                  "'vendor_attributes':{'CVSS':{'nvd':{'V3Vector':'CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L','V3Score':4}}}}]}}");

    assert_int_equal(s->format, REPORT_HARBOR);
    assert_string_equal(s->format_version, "1.1");
    assert_string_equal(s->image.digests[0], D1);
    assert_true(s->db_built_ms != TIME_UNKNOWN);
    assert_string_equal(s->findings[0].url, "https://a.example");
    assert_int_equal(s->findings[0].cvss[0].claimed, 40);
}

static void gitlab_names_a_finding_by_its_cve(void **state)
{
    struct scan *s = load(*state, "{'version':'15.0.7','scan':{'type':'container_scanning','end_time':'2026-01-01T00:00:00','scanner':{'id':'trivy','version':'0.5'}},"
                                  "'vulnerabilities':[{'id':'u','name':'bad','severity':'High','solution':'Upgrade apt from 1.4.8 to 1.4.9','location':{'dependency':{'package':{'name':'apt'},'version':'1.4.8'},"
                                  "'operating_system':'debian:9.4','image':'r.example/a@" D1 "'},'identifiers':[{'type':'cwe','value':'79'},{'type':'usn','value':'USN-1'},{'type':'cve','value':'CVE-1'}]}]}");

    assert_int_equal(s->format, REPORT_GITLAB);
    assert_string_equal(s->findings[0].id, "CVE-1");
    assert_int_equal(s->findings[0].n_aliases, 1);
    assert_string_equal(s->findings[0].aliases[0], "USN-1");
    assert_string_equal(s->findings[0].fixed_version, "1.4.9");
    assert_string_equal(s->image.digests[0], D1);
    assert_string_equal(s->image.os_version, "9.4");
    assert_true(s->has_findings);
}

static void gitlab_secrets_are_masked(void **state)
{
    struct scan *s = load(*state, "{'version':'15.0.0','scan':{'type':'secret_detection'},'vulnerabilities':[{'severity':'Critical','raw_source_code_extract':'ghp_value',"
                                  "'location':{'file':'f','start_line':2},'identifiers':[{'type':'rule','value':'token'}]}]}");

    assert_int_equal(s->n_findings, 0);
    assert_string_equal(s->issues[0].message, "masked (9 bytes)");
    assert_true(s->has_secrets_result);
    assert_false(s->has_findings);
}

/* ---- OSV ------------------------------------------------------------------------------------------ */

static void osv_scanner_gives_fixes_of_the_package_at_hand(void **state)
{
    struct scan *s = load(*state,
        "{'results':[{'source':{'path':'/go.mod'},'packages':[{'package':{'name':'example.org/x','version':'1.0.0','ecosystem':'Go'},'groups':[{'ids':['GO-1'],'max_severity':'7.5'}],"
        "'vulnerabilities':[{'id':'GO-1','aliases':['CVE-1','GHSA-1'],'severity':[{'type':'CVSS_V3','score':'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H'}],'database_specific':{'severity':'HIGH'},"
        "'affected':[{'package':{'name':'example.org/x'},'ranges':[{'type':'GIT','events':[{'fixed':'abc'}]},{'type':'SEMVER','events':[{'introduced':'0'},{'fixed':'1.1.0'}]}]},"
        "{'package':{'name':'other'},'ranges':[{'type':'SEMVER','events':[{'fixed':'9'}]}]}]},"
        "{'id':'MAL-2026-1','summary':'stealer'}]}]}]}");

    assert_int_equal(s->format, REPORT_OSV);
    assert_string_equal(s->findings[0].fixed_version, "1.1.0");
    assert_int_equal(s->findings[0].n_aliases, 2);
    assert_int_equal(s->findings[0].cvss[0].claimed, 75);
    assert_int_equal(s->findings[0].severity, SEVERITY_HIGH);
    assert_int_equal(s->n_issues, 1);
    assert_int_equal(s->issues[0].kind, ISSUE_MALWARE);
    assert_string_equal(s->issues[0].file, "example.org/x");
}

static void an_advisory_names_packages_but_installs_none(void **state)
{
    struct scan *s = load(*state, "{'id':'GHSA-1','modified':'2026-01-01T00:00:00Z','affected':[{'package':{'ecosystem':'npm','name':'left'}}],'withdrawn':'2026-01-02T00:00:00Z'}");

    assert_int_equal(s->format, REPORT_OSV_ADVISORY);
    assert_false(report_format_is_scan(s->format));
    assert_false(s->has_inventory || s->has_findings);
    assert_int_equal(s->n_packages, 1);
    assert_false(s->packages[0].is_evaluable);
    assert_string_equal(s->findings[0].suppressed, "withdrawn");
}

/* ---- predicates ------------------------------------------------------------------------------------ */

static void a_cosign_predicate_holds_a_report(void **state)
{
    struct scan *s = load(*state, "{'invocation':{},'scanner':{'uri':'pkg:github/aquasecurity/trivy@v0.70','version':'0.70','db':{'version':'2','lastUpdate':'2025-12-31T00:00:00Z'},"
                                  "'result':{'SchemaVersion':2,'ArtifactName':'a','Results':[{'Target':'t','Class':'os-pkgs','Vulnerabilities':[{'VulnerabilityID':'CVE-1'}]}]}},"
                                  "'metadata':{'scanStartedOn':'2026-01-01T00:00:00Z','scanFinishedOn':'2026-01-01T00:01:00Z'}}");
    int64_t at;

    assert_int_equal(s->format, REPORT_COSIGN_VULN);
    assert_int_equal(s->n_findings, 1);
    assert_string_equal(s->scanner, "trivy");
    assert_true(time_parse("2026-01-01T00:01:00Z", &at) && s->scanned_ms == at);
    assert_true(s->db_built_ms != TIME_UNKNOWN);
}

static void a_predicate_without_a_result_is_no_result(void **state)
{
    struct scan *s = load(*state, "{'invocation':{},'scanner':{'result':null},'metadata':{'scanFinishedOn':'0001-01-01T00:00:00Z'}}");

    assert_false(s->has_findings);
    assert_true(s->scanned_ms == TIME_UNKNOWN);
}

static void an_in_toto_result_speaks_of_the_image(void **state)
{
    struct scan *s = load(*state, "{'scanner':{'uri':'pkg:x/y','db':{'lastUpdate':'2026-01-01T00:00:00Z'},'result':[{'id':'CVE-1','severity':[{'method':'nvd','score':'7.5'},{'method':'word','score':'HIGH'}]}]},"
                                  "'metadata':{'scanStartedOn':'2026-01-01T00:00:00Z'}}");

    assert_int_equal(s->format, REPORT_INTOTO_VULNS);
    assert_int_equal(s->findings[0].package, NO_PACKAGE);
    assert_int_equal(s->findings[0].severity, SEVERITY_HIGH);
}

static void a_document_kept_as_text_is_read(void **state)
{
    struct scan *s = load(*state, "{'Data':'{\\'bomFormat\\':\\'CycloneDX\\',\\'components\\':[{\\'name\\':\\'a\\'}]}','Timestamp':'2026-01-01T00:00:00Z'}");

    assert_int_equal(s->n_packages, 1);
    assert_true(s->scanned_ms != TIME_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(grype_findings_carry_epss_and_kev), CASE(grype_packages_are_the_matched_ones),
        CASE(grype_says_how_old_its_database_is), CASE(ignored_matches_are_suppressed),
        CASE(end_of_life_is_no_vulnerability_scan), CASE(sarif_sentences_give_the_package),
        CASE(grypes_rule_ids_lose_the_package), CASE(a_linter_says_nothing_about_vulnerabilities),
        CASE(clair_pairs_become_findings), CASE(an_index_report_is_an_inventory), CASE(clair_scanner_approves),
        CASE(klar_lists_by_severity), CASE(harbor_is_read_under_its_media_type), CASE(gitlab_names_a_finding_by_its_cve),
        CASE(gitlab_secrets_are_masked), CASE(osv_scanner_gives_fixes_of_the_package_at_hand),
        CASE(an_advisory_names_packages_but_installs_none), CASE(a_cosign_predicate_holds_a_report),
        CASE(a_predicate_without_a_result_is_no_result), CASE(an_in_toto_result_speaks_of_the_image),
        CASE(a_document_kept_as_text_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
