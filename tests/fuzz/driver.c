/* A small fuzz loop for where libFuzzer is missing, with the options of libFuzzer that `make fuzz` uses:
 *
 *     codec [-seed=N] [-runs=N] [-max_total_time=SECONDS] [-timeout=SECONDS] [-max_len=BYTES] [-artifact_prefix=PATH] PATH...
 *
 * PATHs are inputs, which are tried, or folders of inputs. If there is a folder, inputs are then mutated and tried, for so
 * many runs or seconds (neither: for ever; -runs=0: not at all); without coverage, so nothing is learned.
 *
 * Inputs are tried in a child, out of memory that its parent sees too: whatever ends the child, the parent still has the
 * input, leaves it in artifact_prefix and finding-HASH, and says so. Exit code: 0 nothing found, 1 a finding, 2 wrong usage.
 */
#define _DEFAULT_SOURCE         /* MAP_ANONYMOUS */
#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LARGEST (1 << 20)       /* bytes of an input in a file; mutated ones keep to -max_len */

static struct {
    long long seed, runs, max_total_time, timeout, max_len;
    const char *artifact_prefix;
} options = {.seed = -1, .runs = -1, .timeout = 10, .max_len = 4096, .artifact_prefix = ""};

static struct input {
    uint8_t *at;
    size_t size;
} *corpus;
static size_t corpus_count;
static bool mutate;

static struct {                 /* what parent and child both see */
    uint64_t tried;
    size_t size;
    uint8_t at[LARGEST];
} *now;

/* ---- inputs ---- */

static void usage(const char *what, const char *of)
{
    fprintf(stderr, "codec: %s: %s\n", of, what);
    exit(2);
}

static void *grown(void *at, size_t size)
{
    at = realloc(at, size);
    if (at == NULL)
        usage("out of memory", "corpus");
    return at;
}

static void load_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        usage("cannot be read", path);
    struct input in = {grown(NULL, LARGEST), 0};
    in.size = fread(in.at, 1, LARGEST, file);
    if (fgetc(file) != EOF)
        usage("too large", path);
    fclose(file);
    in.at = grown(in.at, in.size + 1);
    corpus = grown(corpus, (corpus_count + 1) * sizeof *corpus);
    corpus[corpus_count++] = in;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* In the order of their names: the same seed does the same everywhere. */
static void load(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, by_name);
    if (count < 0) {
        load_file(path);
        return;
    }
    mutate = true;
    for (int i = 0; i < count; i++) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            load_file(file);
        free(entries[i]);
    }
    free(entries);
}

/* ---- mutations ---- */

static uint64_t dice_state;

static uint64_t dice(void)      /* splitmix64 */
{
    uint64_t z = dice_state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static size_t below(size_t limit)
{
    return limit > 0 ? (size_t)(dice() % limit) : 0;
}

/* Makes room at `at` for `size` bytes, as far as -max_len allows. Returns how many. */
static size_t insert(size_t at, size_t size)
{
    size_t room = now->size < (size_t)options.max_len ? (size_t)options.max_len - now->size : 0;
    size = size < room ? size : room;
    memmove(now->at + at + size, now->at + at, now->size - at);
    now->size += size;
    return size;
}

static void put_interesting(size_t at)
{
    static const uint64_t numbers[] = {0, 1, 4, 8, 16, 20, 40, 60, 64, 79, 127, 128, 255, 256, 1500, 32767, 32768, 65535, 65536,
                                       262143, 262144, 262145, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, INT64_MAX, UINT64_MAX};
    uint64_t number = numbers[below(sizeof numbers / sizeof *numbers)];
    size_t size = (size_t)1 << below(4);
    bool big_endian = below(2) != 0;
    for (size_t i = 0; i < size && at + i < now->size; i++)
        now->at[at + i] = (uint8_t)(number >> 8 * (big_endian ? size - 1 - i : i));
}

static void mutate_once(void)
{
    const struct input *other = &corpus[below(corpus_count)];
    size_t at = below(now->size + 1), left = now->size - at, size = 1 + below(below(8) == 0 ? 64 : 8);
    size_t from = below(other->size), have = other->size - from, piece = size < have ? size : have;
    switch (left > 0 ? below(9) : 6 + below(3)) {
    case 0: now->at[at] ^= (uint8_t)(1u << below(8)); break;
    case 1: now->at[at] = (uint8_t)dice(); break;
    case 2: now->at[at] = (uint8_t)"0123456789ABCDEF:/.- \n"[below(22)]; break;
    case 3: put_interesting(at); break;
    case 4:                                     /* delete */
        size = size < left ? size : left;
        memmove(now->at + at, now->at + at + size, left - size);
        now->size -= size;
        break;
    case 5:                                     /* overwrite with a piece of another input */
        memcpy(now->at + at, other->at + from, piece < left ? piece : left);
        break;
    case 6:                                     /* insert a byte, some times */
        size = insert(at, size);
        memset(now->at + at, (int)below(256), size);
        break;
    case 7:                                     /* insert a piece of another input */
        piece = insert(at, piece);
        memcpy(now->at + at, other->at + from, piece);
        break;
    case 8:                                     /* go on as another input does */
        now->size = at;
        have = insert(at, have);
        memcpy(now->at + at, other->at + from, have);
        break;
    }
}

/* ---- trying ---- */

static void try_now(void)
{
    uint8_t *exact = grown(NULL, now->size > 0 ? now->size : 1);
    memcpy(exact, now->at, now->size);
    now->tried++;
    LLVMFuzzerTestOneInput(exact, now->size);
    free(exact);
}

static void choose(size_t i)
{
    now->size = corpus[i].size;
    memcpy(now->at, corpus[i].at, now->size);
}

static void try_all(void)
{
    time_t end = time(NULL) + options.max_total_time;
    for (size_t i = 0; i < corpus_count; i++) {
        alarm((unsigned)options.timeout);
        choose(i);
        try_now();
    }
    dice_state = (uint64_t)options.seed;
    for (long long run = 0; mutate && corpus_count > 0 && run != options.runs; run++) {
        if (options.max_total_time > 0 && time(NULL) >= end)
            break;
        alarm((unsigned)options.timeout);
        choose(below(corpus_count));
        now->size = now->size < (size_t)options.max_len ? now->size : (size_t)options.max_len;
        for (size_t left = 1 + below(5); left > 0; left--)
            mutate_once();
        try_now();
    }
    exit(0);
}

/* Leaves the input that ended the child where it can be tried again, unless it came from there. */
static void keep(int status)
{
    if (WIFSIGNALED(status))
        fprintf(stderr, "codec: %s\n", WTERMSIG(status) == SIGALRM ? "took too long" : strsignal(WTERMSIG(status)));
    fprintf(stderr, "codec: input %" PRIu64 " is a finding\n", now->tried);
    if (!mutate)
        exit(1);
    uint64_t hash = UINT64_C(0xCBF29CE484222325);       /* FNV-1a */
    for (size_t i = 0; i < now->size; i++)
        hash = (hash ^ now->at[i]) * UINT64_C(0x100000001B3);
    char path[4096];
    snprintf(path, sizeof path, "%sfinding-%016" PRIx64, options.artifact_prefix, hash);
    FILE *file = fopen(path, "wb");
    bool written = file != NULL && fwrite(now->at, 1, now->size, file) == now->size;
    if ((file != NULL && fclose(file) != 0) || !written)
        usage("cannot be written", path);
    fprintf(stderr, "Test unit written to %s\n", path);
    exit(1);
}

static bool option(const char *word, const char *name, long long *value)
{
    size_t size = strlen(name);
    char *end;
    if (strncmp(word, name, size) != 0)
        return false;
    *value = strtoll(word + size, &end, 10);
    if (end == word + size || *end != 0)
        usage("not a number", word);
    return true;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], "-artifact_prefix=", 17) == 0)
            options.artifact_prefix = argv[i] + 17;
        else if (argv[i][0] != '-')
            load(argv[i]);
        else if (!option(argv[i], "-seed=", &options.seed) && !option(argv[i], "-runs=", &options.runs)
                 && !option(argv[i], "-max_total_time=", &options.max_total_time)
                 && !option(argv[i], "-timeout=", &options.timeout) && !option(argv[i], "-max_len=", &options.max_len))
            usage("no such option", argv[i]);
    if (corpus_count == 0 || options.max_len < 1 || options.max_len > LARGEST / 2)
        usage("no inputs, or -max_len out of range", "usage");
    if (options.seed == -1)
        options.seed = (long long)time(NULL);
    LLVMFuzzerInitialize(&argc, &argv);
    now = mmap(NULL, sizeof *now, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (now == MAP_FAILED)
        usage("out of memory", "input");
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    pid_t child = fork();
    if (child == 0)
        try_all();
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child)
        usage("cannot start", "child");
    if (status != 0)
        keep(status);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    printf("codec: seed %lld: %zu inputs, %" PRIu64 " runs, %.0f a second, no finding\n", options.seed, corpus_count, now->tried,
           (double)now->tried / seconds);
    return 0;
}
