/* page.h -- what a command prints whole: gathered in memory, then written to standard output or a file that appears whole. */
#ifndef CLI_PAGE_H
#define CLI_PAGE_H

#include <stdio.h>

struct page {
	FILE *to;                       /* write here; NULL when memory was out */
	char *text;
	size_t n;
};

void page_begin(struct page *p);
/* `path` NULL: standard output. `err`: what writing to `to` came to; then nothing is put out. The exit code; trouble is said. */
int page_end(struct page *p, const char *path, int err);

#endif
