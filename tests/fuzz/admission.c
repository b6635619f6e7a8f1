/* admission.c - any bytes as a review: decoded, judged by the shipped policies and
 * some of our own, answered.  Oracle: what is answered obeys every rule the API
 * server checks (tests/support/admission_rules.h); what is refused is no review;
 * nothing else happens.  The first byte chooses the kind and the settings. */
#include "tests/support/admission_pure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char own[] =
    "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: own}\nspec:\n  stages: [deploy]\n  mode: enforce\n  validations:\n"
    "    - name: network\n      expression: '!has(object.spec.hostNetwork) || !object.spec.hostNetwork'\n      message: the host network\n"
    "    - name: privileged\n      each: object.spec.containers\n      expression: '!has(item.securityContext.privileged) || !item.securityContext.privileged'\n"
    "      messageExpression: \"item.name + ' is privileged'\"\n"
    "    - name: said\n      expression: '!has(object.metadata.name)'\n      messageExpression: object.metadata.name\n";

static struct pure *fixture(void)
{
    static struct pure p;
    static bool ready;

    if (!ready) {
        pure_init(&p);
        pure_shipped(&p);
        pure_policy(&p, own);
        ready = true;
    }
    return &p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pure *p = fixture();

    if (size == 0)
        return 0;
    p->may_break_glass = (data[0] & 2) != 0;
    p->refuse_controllers = (data[0] & 4) != 0;
    int rc = pure_review(p, data + 1, size - 1, (data[0] & 1) != 0);
    if (rc < 0 && p->err.kind != ERR_UNAVAILABLE) {
        fprintf(stderr, "neither answered nor refused: %s\n", p->err.msg);
        abort();
    }
    const char *wrong = rc == 0 ? rules_check(&p->doc, &p->said) : NULL;
    if (wrong != NULL) {
        fprintf(stderr, "%s\n%.2000s\n", wrong, p->text.ptr);
        abort();
    }
    return 0;
}
