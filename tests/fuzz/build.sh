#!/bin/sh
# build.sh FOLDER [FLAG...]: builds the fuzz target as FOLDER/codec under AddressSanitizer and UndefinedBehaviorSanitizer,
# and says with what: clang and its libFuzzer, which is guided by coverage; where they are missing, or with FUZZ_LOOP=own,
# cc and the loop of driver.c. FOLDER is absolute, or seen from the top folder. PYTHON says which Python to take.
set -eu
cd "$(dirname "$0")/../.."
folder=$1
shift
flags="-std=c11 -DPKTTOOLS_ASSERT -g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all -Wall -Wextra -Werror"
sources="tests/fuzz/target.c tests/fuzz/formats.c tests/fuzz/blocks.c tests/fuzz/packets.c tests/fuzz/kernel.c"
for file in pkttools/codec/c/*.c pkttools/kernel/c/*.c; do
    [ "${file##*/}" = module.c ] || sources="$sources $file"
done

mkdir -p "$folder"
"${PYTHON:-python3}" -m tests.fuzz.seeds > "$folder/programs.h"

libfuzzer() {
    [ "${FUZZ_LOOP:-}" != own ] && echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
        clang -fsanitize=fuzzer,address,undefined -x c - -o "$folder/probe" 2> "$folder/probe.log"
}

if libfuzzer; then
    echo "fuzz: clang and libFuzzer"
    compiler="clang -fsanitize=fuzzer,address,undefined"
elif command -v cc > /dev/null; then
    echo "fuzz: cc and a loop of our own, which does not see coverage (apt-get install clang libclang-rt-14-dev)"
    compiler="cc -fsanitize=address,undefined tests/fuzz/driver.c"
else
    echo "fuzz: clang and cc are missing"
    exit 1
fi
# shellcheck disable=SC2086
$compiler $flags "$@" -Ipkttools/codec/c -I"$folder" $sources -o "$folder/codec"
