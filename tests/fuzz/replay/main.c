/* main.c - replays files through a fuzzer's entry point: `NAME FILE...`. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
    FILE *f = fopen(path, "rb");

    if (f == NULL || fseek(f, 0, SEEK_END) != 0)
        return perror(path), -1;
    long size = ftell(f);
    rewind(f);
    /* Exact size: a read past the end is a read past the allocation. */
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    size_t got = data != NULL ? fread(data, 1, (size_t)size, f) : 0;
    fclose(f);
    if (data == NULL || got != (size_t)size)
        return fprintf(stderr, "%s: cannot read\n", path), free(data), -1;
    LLVMFuzzerTestOneInput(data, got);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++)
        failed += replay(argv[i]) != 0;
    printf("%s: %d inputs replayed\n", argv[0], argc - 1 - failed);
    return failed != 0;
}
