/* A replay program that executes at the end of a deep stack: `deep LEVELS [BYTES] block N … --repeat R`.
 *
 * It prints what ethrex-replay prints (see replay/output.py); each level of the recursion holds a KiB, or
 * BYTES.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

static volatile uint64_t sink;
static int bytes = 1000;

static void say(const char *message) {
    struct timeval now;
    struct tm utc;
    char stamp[40];
    gettimeofday(&now, NULL);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    printf("%s.%06ldZ  INFO ethrex_replay::cli: %s\n", stamp, (long)now.tv_usec, message);
    fflush(stdout);
}

static double now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

__attribute__((noinline)) void leaf(void) {
    uint64_t value = sink + 1;
    for (int round = 0; round < 20000000; ++round) value = value * 6364136223846793005u + 1442695040888963407u;
    sink = value;
}

__attribute__((noinline)) void level(int levels) {
    volatile char room[bytes];
    memset((char *)room, levels, bytes);
    if (levels > 1) level(levels - 1);
    else leaf();
    sink += room[0];
}

static int rising(const void *one, const void *other) {
    double first = *(const double *)one, second = *(const double *)other;
    return (first > second) - (first < second);
}

int main(int argc, char **argv) {
    int repeat = 2, levels = atoi(argv[1]);
    const char *block = "1";
    static double took[1000], sorted[1000]; // not on the stack that is measured
    double sum = 0;
    char line[200];
    if (atoi(argv[2])) bytes = atoi(argv[2]);
    for (int i = 2; i + 1 < argc; ++i) {
        if (!strcmp(argv[i], "block")) block = argv[i + 1];
        if (!strcmp(argv[i], "--repeat")) repeat = atoi(argv[i + 1]);
    }
    for (int run = 0; run < repeat; ++run) {
        snprintf(line, sizeof line, "--- Run %d/%d ---", run + 1, repeat);
        say(line);
        say("Preparing Storage for execution without zkVM");
        snprintf(line, sizeof line, "Executing block %s on mainnet", block);
        say(line);
        double start = now_ms();
        level(levels);
        took[run] = now_ms() - start;
    }
    snprintf(line, sizeof line, "=== Profiling Results (%d runs) ===", repeat);
    say(line);
    memcpy(sorted, took, repeat * sizeof *took);
    qsort(sorted, repeat, sizeof *sorted, rising);
    for (int run = 0; run < repeat; ++run) sum += took[run];
    const double last = sorted[repeat - 1], told[] = {sorted[0], last, sum / repeat, sorted[repeat / 2], 0, last, last};
    const char *names[] = {"min:", "max:", "mean:", "median:", "stddev:", "p95:", "p99:"};
    for (int part = 0; part < 2; ++part) {
        say(part ? "Execution (add_block_pipeline):" : "Preparation:");
        for (int name = 0; name < 7; ++name) printf("  %-8s %.2fms\n", names[name], part ? told[name] : 0.01);
    }
    say("Individual runs:");
    for (int run = 0; run < repeat; ++run) {
        snprintf(line, sizeof line, "  #%2d: prep=10.00µs exec=%.2fms total=%.2fms", run + 1, took[run], took[run]);
        say(line);
    }
    snprintf(line, sizeof line, "[mainnet] Block: %s, Gas: 37500000, #Txs: 442, Execution Time: 00s 089ms | https://x", block);
    say(line);
    return 0;
}
