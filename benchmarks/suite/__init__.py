"""One small file a benchmark; each holds a `Benchmark` named ``BENCHMARK``."""
