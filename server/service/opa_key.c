/* opa_key.c - the key bundles are signed with; see opa.h. */
#include "service/key_file.h"
#include "service/opa.h"

int opa_key_open(const char *data_dir, struct privkey **out, struct err *err)
{
    return key_file_open(data_dir, "opa-key.pem", KEY_P256, out, err);
}
