/* prefer.c - see prefer.h. */
#include "service/prefer.h"

#include "base/str.h"

#include <string.h>
#include <strings.h>

int64_t prefer_wait_s(const char *header, int64_t most)
{
    for (const char *s = header; s != NULL && *s != '\0';) {
        s += strspn(s, ",; \t");
        size_t n = strcspn(s, ",; \t");
        if (n > 5 && n < 12 && strncasecmp(s, "wait=", 5) == 0) {
            char digits[8] = "";
            int64_t seconds;
            memcpy(digits, s + 5, n - 5);
            if (str_to_i64(digits, 0, 9999999, &seconds))
                return seconds < most ? seconds : most;
        }
        s += n;
    }
    return 0;
}
