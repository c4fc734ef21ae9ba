"""BPF programs as data: classic ones, which libpcap compiles and sockets run, and eBPF, which the kernel runs everywhere."""
