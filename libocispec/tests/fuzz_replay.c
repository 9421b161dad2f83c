/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_replay - the corpus of fuzz_decode as a test that needs no fuzzer
 *
 * Each file is run as it is, then with memory running out at each of the first 40
 * allocations, then cut short at each byte.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_decode.h"

static uint8_t text[1 << 20];

static size_t read_file(const char *dir, const char *name)
{
	char path[4096];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	if (!f) {
		perror(path);
		exit(1);
	}
	n = fread(text, 1, sizeof(text), f);
	(void)fclose(f);
	return n;
}

static void run(size_t size)
{
	uint8_t *exact;

	for (uint8_t fail_at = 0; size > 1 && fail_at <= 40; fail_at++) {
		text[1] = (uint8_t)('0' + fail_at);
		LLVMFuzzerTestOneInput(text, size);
	}
	text[1] = '0';
	for (size_t n = 0; n < size; n += 1 + size / 500) {
		exact = malloc(n + 1);
		if (!exact)
			abort();
		memcpy(exact, text, n);
		LLVMFuzzerTestOneInput(exact, n);
		free(exact);
	}
}

int main(void)
{
	const char *top = getenv("srcdir");
	char dir[4000];
	struct dirent *entry;
	unsigned n = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/libocispec/tests/corpus", top ? top : ".");
	d = opendir(dir);
	while (d && (entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		run(read_file(dir, entry->d_name));
		printf("ok %u - corpus %s\n", ++n, entry->d_name);
	}
	if (d)
		closedir(d);
	printf("%sok %u - there is a corpus\n", n ? "" : "not ", n + 1);
	printf("1..%u\n", n + 1);
	return n == 0;
}
