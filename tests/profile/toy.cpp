// A replay program with ethrex's frame names whose work is known: `--slow PERCENT` makes one function,
// ethrex_trie::Node::encode, that much slower. It prints ethrex-replay's lines (see facts in replay/output.py).
#include <numeric>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sys/time.h>

#define FRAME __attribute__((noinline))
using Clock = std::chrono::steady_clock;

static volatile uint64_t sink;
static double encode_factor = 1.0;

// the only loops: so many rounds of work that neither the compiler nor the memory has a say in
#define WORK(ROUNDS)                                                            \
    do {                                                                        \
        uint64_t value = sink + 1;                                              \
        for (uint64_t round = 0; round < static_cast<uint64_t>(ROUNDS); ++round) \
            value = value * 6364136223846793005ull + 1442695040888963407ull;    \
        sink = value;                                                           \
    } while (0)

FRAME void __KeccakF1600(uint64_t rounds) { WORK(rounds); }

namespace ethrex_trie {
struct Node {
    FRAME void encode(uint64_t rounds) { WORK(rounds * encode_factor); }
    FRAME void hash(uint64_t rounds) { __KeccakF1600(rounds); WORK(1000); }
};
}  // namespace ethrex_trie

namespace ethrex_levm {
struct VM {
    FRAME void op_sload(uint64_t rounds) {
        std::map<uint64_t, std::string> storage;
        for (uint64_t key = 0; key < 200; ++key) storage[key * 7919 % 1000] = std::string(40, 'x');
        WORK(rounds);
    }
    FRAME void op_staticcall(uint64_t rounds) { __KeccakF1600(rounds / 2); WORK(rounds / 2); }
    FRAME void run_execution(uint64_t unit) {
        for (int i = 0; i < 20; ++i) { op_sload(unit); op_staticcall(unit); }
    }
};
}  // namespace ethrex_levm

namespace ethrex_blockchain {
struct Blockchain {
    FRAME void handle_merkleization(uint64_t unit) {
        ethrex_trie::Node node;
        for (int i = 0; i < 10; ++i) { node.encode(8 * unit); node.hash(unit); }
    }
    FRAME void execute_block(uint64_t unit) { ethrex_levm::VM vm; vm.run_execution(unit); }
    FRAME void add_block_pipeline(uint64_t unit) {
        // as ethrex's: names longer than what Linux keeps
        std::thread merkleizer([&] {
            pthread_setname_np(pthread_self(), "block_executor_");
            handle_merkleization(unit);
        });
        execute_block(unit);
        merkleizer.join();
    }
};
}  // namespace ethrex_blockchain

namespace serde_json { FRAME void from_reader(uint64_t rounds) { WORK(rounds); } }
namespace ethrex_storage { FRAME void prepare(uint64_t rounds) { WORK(rounds); } }

static void log(const char *target, const std::string &message) {
    timeval now;
    gettimeofday(&now, nullptr);
    tm utc;
    gmtime_r(&now.tv_sec, &utc);
    char stamp[40];
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    printf("%s.%06ldZ  INFO %s: %s\n", stamp, static_cast<long>(now.tv_usec), target, message.c_str());
    fflush(stdout);
}

static std::string ms(double value) {
    char text[40];
    snprintf(text, sizeof text, "%.2f%s", value < 1 ? value * 1000 : value, value < 1 ? "µs" : "ms");
    return text;
}

static double since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

int main(int argc, char **argv) {
    int repeat = 1;
    uint64_t unit = 450000;
    std::string block = "1", network = "mainnet";
    for (int i = 1; i + 1 < argc; ++i) {
        if (!strcmp(argv[i], "block")) block = argv[i + 1];
        if (!strcmp(argv[i], "--network")) network = argv[i + 1];
        if (!strcmp(argv[i], "--repeat")) repeat = atoi(argv[i + 1]);
        if (!strcmp(argv[i], "--unit")) unit = strtoull(argv[i + 1], nullptr, 10);
        if (!strcmp(argv[i], "--slow")) encode_factor = 1 + atof(argv[i + 1]) / 100;
    }
    log("ethrex_replay::fetcher", "Getting block " + block + " data from cache");
    serde_json::from_reader(unit * 100);
    std::vector<std::pair<double, double>> times;
    for (int run = 1; run <= repeat; ++run) {
        if (repeat > 1)
            log("ethrex_replay::cli", "--- Run " + std::to_string(run) + "/" + std::to_string(repeat) + " ---");
        log("ethrex_replay::cli", "Preparing Storage for execution without zkVM");
        auto start = Clock::now();
        ethrex_storage::prepare(unit * 10);
        double prepared = since(start);
        log("ethrex_replay::cli", "Storage preparation finished in " + ms(prepared));
        log("ethrex_replay::cli", "Executing block " + block + " on " + network);
        start = Clock::now();
        ethrex_blockchain::Blockchain().add_block_pipeline(unit);
        times.emplace_back(prepared, since(start));
    }
    if (repeat == 1) {
        log("ethrex_replay::cli", "add_block_pipeline execution time: " + ms(times[0].second));
    } else {
        log("ethrex_replay::cli", "=== Profiling Results (" + std::to_string(repeat) + " runs) ===");
        for (bool execution : {false, true}) {
            log("ethrex_replay::cli", execution ? "Execution (add_block_pipeline):" : "Preparation:");
            std::vector<double> sorted;
            for (auto [prepared, executed] : times)
                sorted.push_back(execution ? executed : prepared);
            std::sort(sorted.begin(), sorted.end());
            const double mean = std::accumulate(sorted.begin(), sorted.end(), 0.0) / repeat;
            const std::pair<const char *, double> statistics[] = {
                {"min:", sorted.front()}, {"max:", sorted.back()}, {"mean:", mean}, {"median:", sorted[repeat / 2]},
                {"stddev:", 0.0}, {"p95:", sorted.back()}, {"p99:", sorted.back()}};
            for (auto [name, value] : statistics)
                printf("  %-8s %s\n", name, ms(value).c_str());
        }
        log("ethrex_replay::cli", "Individual runs:");
        for (int run = 1; run <= repeat; ++run) {
            auto [prepared, executed] = times[run - 1];
            char line[160];
            snprintf(line, sizeof line, "  #%2d: prep=%s exec=%s total=%s", run, ms(prepared).c_str(),
                     ms(executed).c_str(), ms(prepared + executed).c_str());
            log("ethrex_replay::profiling", line);
        }
    }
    log("ethrex_replay::report", "[" + network + "] Block: " + block +
        ", Gas: 37500000, #Txs: 442, Execution Time: 00s 089ms | https://etherscan.io/block/" + block);
}
