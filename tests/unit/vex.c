/* vex.c - VEX in three dialects, and OpenVEX out. */
#include "tests/support/reports.h"

static void openvex_0_2_0_is_read(void **state)
{
    struct vex *x = load_vex(*state,
        "{'@context':'https://openvex.dev/ns/v0.2.0','@id':'https://vex.example/1','author':'Me','role':'Vendor','timestamp':'2026-01-01T00:00:00Z','version':3,"
        "'statements':[{'vulnerability':{'@id':'https://x.example','name':'CVE-1','aliases':['GHSA-1']},'timestamp':'2026-01-02T00:00:00Z','products':[{'@id':'pkg:oci/app@sha256%3A1111111111111111111111111111111111111111111111111111111111111111?repository_url=r.example%2Fapp',"
        "'hashes':{'sha-256':'2222222222222222222222222222222222222222222222222222222222222222'},'subcomponents':[{'@id':'pkg:npm/left@1'},{'@id':'x','identifiers':{'purl':'pkg:npm/right@1'}}]}],"
        "'status':'not_affected','justification':'vulnerable_code_not_present','impact_statement':'removed'},"
        "{'vulnerability':{'@id':'CVE-2'},'products':[{'@id':'mine','identifiers':{'cpe23':'cpe:2.3:a:b:c:1:*:*:*:*:*:*:*'}}],'status':'affected','action_statement':'update'}]}");
    const struct vex_statement *s = &x->statements[0];

    assert_int_equal(x->format, VEX_OPENVEX);
    assert_string_equal(x->format_version, "0.2.0");
    assert_int_equal(x->version, 3);
    assert_int_equal(x->n_statements, 2);
    assert_string_equal(s->vulnerability, "CVE-1");
    assert_string_equal(s->aliases[0], "GHSA-1");
    assert_int_equal(s->status, VEX_NOT_AFFECTED);
    assert_true(s->timestamp_ms > x->timestamp_ms);
    assert_int_equal(s->products[0].n_digests, 2);
    assert_string_equal(s->products[0].digests[0], D1);
    assert_int_equal(s->products[0].n_subcomponents, 2);
    assert_string_equal(s->products[0].subcomponents[1], "pkg:npm/right@1");
    assert_string_equal(x->statements[1].vulnerability, "CVE-2");
    assert_true(x->statements[1].timestamp_ms == x->timestamp_ms);
    assert_null(x->statements[1].products[0].purl);
}

static void openvex_0_0_1_is_read(void **state)
{
    struct vex *x = load_vex(*state,
        "{'@context':'https://openvex.dev/ns','@id':'i','author':'Me','author_role':'r','timestamp':'2026-01-01T00:00:00Z','version':'1',"
        "'statements':[{'vulnerability':'CVE-1','products':['pkg:apk/wolfi/git@1','other'],'subcomponents':['pkg:npm/a@1'],'status':'fixed'}]}");

    assert_int_equal(x->version, 1);
    assert_int_equal(x->statements[0].n_products, 2);
    assert_string_equal(x->statements[0].products[0].purl, "pkg:apk/wolfi/git@1");
    assert_int_equal(x->statements[0].products[1].n_subcomponents, 1);
    assert_int_equal(x->statements[0].status, VEX_FIXED);
}

static void a_strange_status_takes_nothing_away(void **state)
{
    struct vex *x = load_vex(*state, "{'@context':'https://openvex.dev/ns/v0.2.0','statements':[{'vulnerability':{'name':'C'},'products':[{'@id':'a'}],'status':'fine'}]}");

    assert_int_equal(x->statements[0].status, VEX_STATUS_UNKNOWN);
    assert_int_equal(x->n_unmapped, 1);
}

static const char csaf[] =
    "{'document':{'category':'csaf_vex','csaf_version':'2.0','publisher':{'name':'Pub','category':'vendor'},'tracking':{'id':'T-1','version':'2','initial_release_date':'2026-01-01T00:00:00Z','current_release_date':'2026-01-02T00:00:00Z'}},"
    "'product_tree':{'branches':[{'branches':[{'product':{'product_id':'img','name':'Image','product_identification_helper':{'purl':'pkg:oci/app@sha256%3A1111111111111111111111111111111111111111111111111111111111111111'}}},"
    "{'product':{'product_id':'lib','name':'Lib','product_identification_helper':{'purl':'pkg:npm/left@1'}}},{'product':{'product_id':'os','name':'OS','product_identification_helper':{'cpe':'cpe:/o:x:y:1'}}}]}],"
    "'relationships':[{'category':'default_component_of','product_reference':'lib','relates_to_product_reference':'img','full_product_name':{'product_id':'img:lib','name':'Lib in image'}},"
    "{'category':'default_component_of','product_reference':'lib','relates_to_product_reference':'os','full_product_name':{'product_id':'os:lib','name':'Lib on OS'}}]},"
    "'vulnerabilities':[{'cve':'CVE-1','product_status':{'known_not_affected':['img:lib','os:lib','nowhere'],'fixed':['lib'],'recommended':['lib']},"
    "'flags':[{'label':'vulnerable_code_not_present','product_ids':['img:lib']}],'threats':[{'category':'impact','details':'gone','product_ids':['img:lib']}],"
    "'remediations':[{'category':'vendor_fix','details':'update','product_ids':['lib']}]}]}";

static void csaf_products_are_resolved(void **state)
{
    struct vex *x = load_vex(*state, csaf);

    assert_int_equal(x->format, VEX_CSAF);
    assert_int_equal(x->n_vulnerabilities, 1);
    assert_int_equal(x->n_statements, 3);                   /* not affected without and with a flag, fixed */
    assert_int_equal(x->statements[0].n_products, 2);
    assert_string_equal(x->statements[0].products[0].purl, "pkg:npm/left@1");
    assert_string_equal(x->statements[0].products[0].cpe, "cpe:/o:x:y:1");
    assert_string_equal(x->statements[0].products[1].id, "nowhere");
    assert_string_equal(x->statements[1].justification, "vulnerable_code_not_present");
    assert_string_equal(x->statements[1].impact, "gone");
    assert_string_equal(x->statements[1].products[0].digests[0], D1);
    assert_string_equal(x->statements[1].products[0].subcomponents[0], "pkg:npm/left@1");
    assert_int_equal(x->statements[2].status, VEX_FIXED);
    assert_string_equal(x->statements[2].action, "update");
    assert_int_equal(x->n_unmapped, 1);
}

static void cyclonedx_states_are_translated(void **state)
{
    struct vex *x = load_vex(*state,
        "{'bomFormat':'CycloneDX','specVersion':'1.5','serialNumber':'urn:uuid:1','version':1,'components':[{'bom-ref':'r','name':'a','purl':'pkg:npm/a@1'}],"
        "'vulnerabilities':[{'id':'CVE-1','analysis':{'state':'not_affected','justification':'code_not_reachable','detail':'d'},'affects':[{'ref':'urn:cdx:u/1#r'}]},"
        "{'id':'CVE-2','analysis':{'state':'resolved'},'affects':[{'ref':'zz'}]},{'id':'CVE-3'}]}");

    assert_int_equal(x->n_vulnerabilities, 3);
    assert_int_equal(x->n_statements, 2);
    assert_string_equal(x->statements[0].products[0].purl, "pkg:npm/a@1");
    assert_string_equal(x->statements[0].justification, "vulnerable_code_not_in_execute_path");
    assert_int_equal(x->statements[1].status, VEX_FIXED);
}

static void what_is_written_reads_back(void **state)
{
    struct fixture *f = *state;
    const char *aliases[] = { "GHSA-1" }, *parts[] = { "pkg:npm/left@1" }, *digests[] = { D1 };
    struct vex_product product = { .id = "pkg:oci/app", .purl = "pkg:oci/app", .digests = digests, .n_digests = 1,
                                   .subcomponents = parts, .n_subcomponents = 1 };
    struct vex_statement statement = { .vulnerability = "CVE-1", .aliases = aliases, .n_aliases = 1, .products = &product,
                                       .n_products = 1, .status = VEX_NOT_AFFECTED, .impact = "said \"so\"\n",
                                       .justification = "component_not_present", .timestamp_ms = 1000,
                                       .last_updated_ms = TIME_UNKNOWN };
    struct vex out = { .id = "https://vex.example/1", .author = "Keep", .timestamp_ms = 5000, .version = 2,
                       .last_updated_ms = TIME_UNKNOWN, .statements = &statement, .n_statements = 1 }, in;
    struct buf buf;

    buf_init(&buf, 65536);
    assert_int_equal(vex_encode(&out, &buf, &f->err), 0);
    assert_int_equal(vex_parse(buf.ptr, buf.len, &f->arena, &in, &f->err), 0);
    buf_free(&buf);
    assert_string_equal(in.format_version, "0.2.0");
    assert_int_equal(in.version, 2);
    assert_true(in.timestamp_ms == 5000 && in.statements[0].timestamp_ms == 1000);
    assert_string_equal(in.statements[0].impact, "said \"so\"\n");
    assert_string_equal(in.statements[0].aliases[0], "GHSA-1");
    assert_string_equal(in.statements[0].products[0].digests[0], D1);
    assert_string_equal(in.statements[0].products[0].subcomponents[0], "pkg:npm/left@1");
}

static void what_the_specification_requires_is_required(void **state)
{
    struct fixture *f = *state;
    struct vex_product product = { .id = "a" };
    struct vex_statement s = { .vulnerability = "CVE-1", .products = &product, .n_products = 1,
                               .timestamp_ms = TIME_UNKNOWN, .last_updated_ms = TIME_UNKNOWN };
    struct vex x = { .id = "i", .author = "a", .timestamp_ms = 0, .last_updated_ms = TIME_UNKNOWN, .statements = &s, .n_statements = 1 };
    struct buf buf;

    buf_init(&buf, 4096);
    assert_int_equal(vex_encode(&x, &buf, &f->err), -1);
    assert_string_equal(f->err.msg, "statement 0 lacks a status");
    s.status = VEX_NOT_AFFECTED;
    assert_int_equal(vex_encode(&x, &buf, &f->err), -1);
    assert_string_equal(f->err.msg, "statement 0 lacks a justification or an impact");
    s.status = VEX_AFFECTED;
    assert_int_equal(vex_encode(&x, &buf, &f->err), -1);
    s.status = VEX_FIXED;
    s.n_products = 0;
    assert_int_equal(vex_encode(&x, &buf, &f->err), -1);
    assert_int_equal(buf.len, 0);
    s.n_products = 1;
    assert_int_equal(vex_encode(&x, &buf, &f->err), 0);
    buf_free(&buf);
    buf_init(&buf, 16);
    assert_int_equal(vex_encode(&x, &buf, &f->err), -1);
    assert_int_equal(f->err.kind, ERR_TOO_LARGE);
    buf_free(&buf);
}

static void a_scan_is_no_vex_document(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(vex_parse("{\"bomFormat\":\"CycloneDX\"}", 25, &f->arena, &f->vex, &f->err), -1);
    assert_int_equal(f->err.kind, ERR_UNPROCESSABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(openvex_0_2_0_is_read), CASE(openvex_0_0_1_is_read), CASE(a_strange_status_takes_nothing_away),
        CASE(csaf_products_are_resolved), CASE(cyclonedx_states_are_translated), CASE(what_is_written_reads_back),
        CASE(what_the_specification_requires_is_required), CASE(a_scan_is_no_vex_document),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
