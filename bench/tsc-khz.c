// SPDX-License-Identifier: GPL-2.0-only
/*
 * tsc-khz: prints the rate of this machine's time stamp counter. QEMU without
 * KVM passes it on to its guest, which has nothing to calibrate it against and
 * would fall back to a clock of 4 ms.
 */
#include <stdio.h>
#include <stdint.h>
#include <time.h>
#include <x86intrin.h>

#define MEASURE_NS 200000000U

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int main(void)
{
	uint64_t began = now_ns(), tsc = __rdtsc(), ended;

	do
		ended = now_ns();
	while (ended - began < MEASURE_NS);
	printf("%ju\n", (uintmax_t)((__rdtsc() - tsc) * 1000000 / (ended - began)));
	return 0;
}
