/* What the processor has, and the system lets programs use. glibc knows it since it loaded the program; GCC's own library asks again
 * each time that a module with __builtin_cpu_supports is loaded, with instructions that a virtual machine has to stop for.
 */
#ifndef PKTTOOLS_PROCESSOR_H
#define PKTTOOLS_PROCESSOR_H

#include <stdbool.h>
#include <stdint.h>             /* says whether there is glibc */

#if defined(__GLIBC__) && defined(__has_include)
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#endif
#endif

#ifdef CPU_FEATURE_ACTIVE
/* As CPU_FEATURE_ACTIVE has it, which shifts a signed 1 by up to 31. */
static inline bool processor_has(unsigned feature)
{
    const struct cpuid_feature *leaf = __x86_get_cpuid_feature_leaf(feature / 128);
    return (leaf->active_array[feature % 128 / 32] >> feature % 32 & 1) != 0;
}
#define PROCESSOR_HAS(FEATURE, name) processor_has(x86_cpu_##FEATURE)
#else
#define PROCESSOR_HAS(FEATURE, name) __builtin_cpu_supports(name)
#endif

#endif
