/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_decode - the one function that libFuzzer, or fuzz_replay.c, calls */
#ifndef OCISPEC_TESTS_FUZZ_DECODE_H
#define OCISPEC_TESTS_FUZZ_DECODE_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
