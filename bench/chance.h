/* chance.h -- numbers at random, the same ones in every run. */
#ifndef BENCH_CHANCE_H
#define BENCH_CHANCE_H

#include <stdint.h>

uint32_t chance(void);
uint32_t chance_below(uint32_t n);

#endif
