/* replay.c -- runs a fuzz target over stored inputs without libFuzzer: every file below the folders
 * (or the files) named on the command line. Fails when there is nothing to run. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned runs;

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f || fseek(f, 0, SEEK_END)) {
		perror(path);
		if (f)
			fclose(f);
		return 1;
	}
	long size = ftell(f);
	rewind(f);
	/* Exactly the input's size, so that ASan sees a read one past the end. */
	uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
	int bad = !data || size < 0 || fread(data, 1, (size_t)size, f) != (size_t)size;
	fclose(f);
	if (bad)
		fprintf(stderr, "%s: cannot read it whole\n", path);
	else {
		LLVMFuzzerTestOneInput(data, (size_t)size);
		runs++;
	}
	free(data);
	return bad;
}

static int run_path(const char *path)
{
	struct stat st;
	if (stat(path, &st)) {
		perror(path);
		return 1;
	}
	if (!S_ISDIR(st.st_mode))
		return run_file(path);
	DIR *d = opendir(path);
	if (!d) {
		perror(path);
		return 1;
	}
	int bad = 0;
	for (struct dirent *e; (e = readdir(d));) {
		char child[4096];
		if (e->d_name[0] == '.')
			continue;
		snprintf(child, sizeof(child), "%s/%s", path, e->d_name);
		bad |= run_path(child);
	}
	closedir(d);
	return bad;
}

int main(int argc, char **argv)
{
	int bad = 0;
	for (int i = 1; i < argc; i++)
		bad |= run_path(argv[i]);
	printf("%u inputs\n", runs);
	return bad || !runs;
}
