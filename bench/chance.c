#include "bench/chance.h"

static uint64_t state = 88172645463325252u;

uint32_t chance(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

uint32_t chance_below(uint32_t n) { return (uint32_t)(((uint64_t)chance() * n) >> 32); }
