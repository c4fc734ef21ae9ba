#define _GNU_SOURCE     /* syscall */
#include "kernel.h"

#include <unistd.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

int process_control(int option, unsigned long second, unsigned long third)
{
    return prctl(option, second, third, 0UL, 0UL);
}

int death_signal(void)
{
    int number = 0;
    return prctl(PR_GET_PDEATHSIG, &number, 0, 0, 0) < 0 ? 0 : number;
}

int capabilities(struct capabilities *found)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct half[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, half) < 0)
        return -1;
    *found = (struct capabilities){
        .effective = (uint64_t)half[1].effective << 32 | half[0].effective,
        .permitted = (uint64_t)half[1].permitted << 32 | half[0].permitted,
        .inheritable = (uint64_t)half[1].inheritable << 32 | half[0].inheritable,
    };
    return 0;
}

int keep_capabilities(uint64_t kept)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const uint32_t low = (uint32_t)kept, high = (uint32_t)(kept >> 32);
    struct __user_cap_data_struct half[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = low, .permitted = low}, {.effective = high, .permitted = high},
    };
    return syscall(SYS_capset, &header, half) < 0 ? -1 : 0;
}
