/* image_seen.c - see image_seen.h. */
#include "service/image_seen.h"

#include "service/judge_image.h"
#include "store/image.h"
#include "store/posture.h"

int image_seen(struct app *app, struct db *db, const char *digest, const char *repository, const char *tag, int64_t now_ms,
               struct arena *arena, int64_t *id, struct err *err)
{
    struct verdict verdict;
    int64_t repository_id;

    if (repository_upsert(db, repository, NULL, now_ms, &repository_id, err) != 0 ||
        image_insert(db, digest, repository_id, now_ms, id, err) != 0 || trend_add_image(db, now_ms, repository_id, err) != 0 ||
        (tag != NULL && image_describe(db, *id, tag, NULL, NULL, NULL, NULL, now_ms, err) != 0))
        return -1;
    return image_judge(app, db, *id, "seen running", now_ms, now_ms, arena, &verdict, err);
}
