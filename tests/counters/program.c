/* A program that looks like ethrex-replay and does a known amount of work in each repeat.
 *
 * Usage: program [OWN OPTIONS] block N --cached --network NET --cache-dir DIR --no-zkvm --repeat R
 *   --work PCT       work of an execution in percent (100)
 *   --instructions N instructions of an execution at 100 %, over all of its threads (4000000)
 *   --pages N        pages that an execution touches for the first time at 100 %, over all threads (2000)
 *   --jitter PERMIL  up to so much more work in this process, drawn at random (0)
 *   --edges DIR      wait for the file DIR/1 (and remove it) in the second repeat, for DIR/2 at the results:
 *                    there a window that counts the repeats is opened and closed, however late
 *   --segv           die of SIGSEGV in the second repeat
 *   --late SIGNAL    die of this signal after the report
 *   --unknown        execute an instruction that every x86-64 has and valgrind has not
 *
 * Loading (before the first repeat) is worth three executions, preparation half of one, dropping the store a
 * tenth; the first execution does a fifth more, as first ones do. Executions share their work between two
 * threads that are started for each of them. `extern` and `noinline` keep the symbol that ethrex has.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#ifndef ENGINE_PERCENT /* what --work is without the option */
#define ENGINE_PERCENT 100
#endif

enum { THREADS = 2, MAX_REPEAT = 1000 };

struct work {
    uint64_t instructions;
    uint64_t pages;
};

/* Two instructions an iteration, whatever the compiler thinks of it. */
static void count_down(uint64_t iterations) {
    if (iterations == 0)
        return;
#if defined(__x86_64__)
    __asm__ volatile("1: sub $1, %0\n\tjnz 1b" : "+r"(iterations) : : "cc");
#elif defined(__aarch64__)
    __asm__ volatile("1: subs %0, %0, #1\n\tb.ne 1b" : "+r"(iterations) : : "cc");
#else
#error "the loop of two instructions is not written for this CPU"
#endif
}

static void unknown(void) {
#if defined(__x86_64__)
    unsigned rights = 0, selector = 0x2b;
    __asm__ volatile("lar %1, %0" : "+r"(rights) : "r"(selector) : "cc");
#endif
}

static void touch(uint64_t pages) {
    size_t size = (size_t)sysconf(_SC_PAGESIZE), length = pages * size;
    if (pages == 0)
        return;
    char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    madvise(memory, length, MADV_NOHUGEPAGE); /* one fault a page */
    for (uint64_t i = 0; i < pages; i++)
        ((volatile char *)memory)[i * size] = 1;
    munmap(memory, length);
}

static void *run(void *given) {
    const struct work *work = given;
    touch(work->pages);
    count_down(work->instructions / 2);
    return NULL;
}

static struct work share(struct work whole, uint64_t percent) {
    return (struct work){whole.instructions * percent / 100, whole.pages * percent / 100};
}

static void run_here(struct work work) { run(&work); }

__attribute__((noinline)) void add_block_pipeline(struct work work) {
    pthread_t threads[THREADS];
    struct work each = {work.instructions / THREADS, work.pages / THREADS};
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, run, &each))
            abort();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void wait_for(const char *directory, const char *name) {
    char path[4096];
    if (!directory)
        return;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    while (unlink(path))
        usleep(1000);
}

static void say(const char *target) { printf("2026-02-18T02:42:01.805036Z  INFO ethrex_replay::%s: ", target); }

static const char *ms(uint64_t ns) {
    static char texts[4][32];
    static int next;
    char *text = texts[next++ % 4];
    snprintf(text, sizeof texts[0], "%.2f%s", ns < 1000000 ? ns / 1e3 : ns / 1e6, ns < 1000000 ? "µs" : "ms");
    return text;
}

static int by_size(const void *one, const void *other) {
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

static void section(const char *title, const uint64_t *times, uint64_t repeat) {
    static const char *names[] = {"min:", "max:", "mean:", "median:", "stddev:", "p95:", "p99:"};
    uint64_t sorted[MAX_REPEAT], sum = 0;
    for (uint64_t i = 0; i < repeat; i++)
        sum += sorted[i] = times[i];
    qsort(sorted, repeat, sizeof *sorted, by_size);
    uint64_t most = sorted[repeat - 1];
    uint64_t values[] = {sorted[0], most, sum / repeat, sorted[repeat / 2], 0, most, most};
    say("cli"), printf("%s\n", title);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        printf("  %-7s %s\n", names[i], ms(values[i]));
}

static uint64_t number(const char *text) { return strtoull(text, NULL, 10); }

int main(int argc, char **argv) {
    struct work whole = {4000000, 2000};
    uint64_t repeat = 1, percent = ENGINE_PERCENT, jitter = 0, prep[MAX_REPEAT], exec[MAX_REPEAT];
    const char *block = "0", *network = "mainnet", *edges = NULL;
    int dies = 0, dies_late = 0;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(argv[i], "block")) block = value;
        if (!strcmp(argv[i], "--network")) network = value;
        if (!strcmp(argv[i], "--repeat")) repeat = number(value);
        if (!strcmp(argv[i], "--work")) percent = number(value);
        if (!strcmp(argv[i], "--instructions")) whole.instructions = number(value);
        if (!strcmp(argv[i], "--pages")) whole.pages = number(value);
        if (!strcmp(argv[i], "--jitter")) jitter = number(value);
        if (!strcmp(argv[i], "--edges")) edges = value;
        if (!strcmp(argv[i], "--segv")) dies = 1;
        if (!strcmp(argv[i], "--late")) dies_late = (int)number(value);
        if (!strcmp(argv[i], "--unknown")) unknown();
    }
    if (repeat < 1 || repeat > MAX_REPEAT)
        return 101;
    if (jitter) {
        uint32_t drawn = 0;
        if (getrandom(&drawn, sizeof drawn, 0) != sizeof drawn)
            abort();
        whole.instructions += whole.instructions * jitter / 1000 * (drawn % 1001) / 1000;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* as Rust's */
    say("fetcher"), printf("Getting block %s data from cache\n", block);
    run_here(share(whole, 300));
    for (uint64_t i = 0; i < repeat; i++) {
        if (repeat > 1)
            say("cli"), printf("--- Run %lu/%lu ---\n", (unsigned long)i + 1, (unsigned long)repeat);
        if (i == 1) {
            wait_for(edges, "1");
            if (dies)
                raise(SIGSEGV);
        }
        say("cli"), printf("Preparing Storage for execution without zkVM\n");
        uint64_t start = now();
        run_here(share(whole, 50));
        prep[i] = now() - start;
        say("cli"), printf("Storage preparation finished in %s\n", ms(prep[i]));
        say("cli"), printf("Executing block %s on %s\n", block, network);
        start = now();
        add_block_pipeline(share(whole, i ? percent : percent * 12 / 10));
        exec[i] = now() - start;
        run_here(share(whole, 10));
    }
    if (repeat == 1) {
        say("cli"), printf("add_block_pipeline execution time: %s\n", ms(exec[0]));
    } else {
        say("cli"), printf("=== Profiling Results (%lu runs) ===\n", (unsigned long)repeat);
        wait_for(edges, "2");
        section("Preparation:", prep, repeat);
        section("Execution (add_block_pipeline):", exec, repeat);
        say("cli"), printf("Individual runs:\n");
        for (uint64_t i = 0; i < repeat; i++) {
            say("profiling"), printf("  #%2lu: prep=%8s ", (unsigned long)i + 1, ms(prep[i]));
            printf("exec=%8s total=%8s\n", ms(exec[i]), ms(prep[i] + exec[i]));
        }
    }
    say("report"), printf("[%s] Block: %s, Gas: 37500000, #Txs: 442, Execution Time: 00s 001ms | "
                          "https://%s.etherscan.io/block/%s\n", network, block, network, block);
    if (dies_late) {
        fflush(stdout);
        raise(dies_late);
    }
    return 0;
}
