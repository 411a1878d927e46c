"""What the clock can't see: perf stat, callgrind or nothing, behind one interface. Knows no pytest."""
