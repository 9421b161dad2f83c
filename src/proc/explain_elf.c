/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain_elf - for which machine a binary is, and which loader it wants
 *
 * elf(5). The file is the container's: every number in it is a claim, and reads are
 * bounded.
 */
#include <elf.h>
#include <link.h>
#include <limits.h>

#include "base/str.h"
#include "proc/explain.h"
#include "sys/sys.h"

#define PHDRS_MAX 512

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static const struct {
	unsigned machine;
	const char *name32, *name64;
} machines[] = {
	{ EM_386, "i386", "i386" },
	{ EM_X86_64, "x32", "x86_64" },
	{ EM_ARM, "arm", "arm" },
	{ EM_AARCH64, "aarch64", "aarch64" },
	{ EM_RISCV, "riscv32", "riscv64" },
	{ EM_PPC, "ppc", "ppc" },
	{ EM_PPC64, "ppc64", "ppc64" },
	{ EM_S390, "s390", "s390x" },
	{ EM_MIPS, "mips", "mips64" },
	{ EM_SPARC, "sparc", "sparc" },
	{ EM_SPARCV9, "sparc64", "sparc64" },
	{ EM_LOONGARCH, "loongarch32", "loongarch64" },
	{ EM_68K, "m68k", "m68k" },
	{ EM_PARISC, "hppa", "hppa64" },
	{ EM_SH, "sh4", "sh4" },
	{ EM_ALPHA, "alpha", "alpha" },
	{ EM_IA_64, "ia64", "ia64" },
};

static const char *arch_name(struct arena *a, unsigned machine, const unsigned char *ident)
{
	bool little = ident[EI_DATA] == ELFDATA2LSB;

	/* the only ones that are common both ways */
	if (machine == EM_PPC64 && little)
		return "ppc64le";
	if (machine == EM_MIPS && little)
		return ident[EI_CLASS] == ELFCLASS64 ? "mips64el" : "mipsel";
	for (size_t i = 0; i < COUNT(machines); i++)
		if (machines[i].machine == machine)
			return ident[EI_CLASS] == ELFCLASS64 ? machines[i].name64
							     : machines[i].name32;
	return arena_printf(a, "machine %u", machine);
}

/* Everything up to e_machine lies alike in both classes. */
static unsigned half(const unsigned char *at, bool little)
{
	return little ? at[0] | (unsigned)at[1] << 8 : at[1] | (unsigned)at[0] << 8;
}

/* Machines that one kernel may run both of. */
static bool are_cousins(unsigned a, unsigned b)
{
	static const uint16_t pairs[][2] = { { EM_386, EM_X86_64 },
					     { EM_ARM, EM_AARCH64 },
					     { EM_PPC, EM_PPC64 } };

	for (size_t i = 0; i < COUNT(pairs); i++)
		if ((a == pairs[i][0] && b == pairs[i][1]) ||
		    (b == pairs[i][0] && a == pairs[i][1]))
			return true;
	return a == b;
}

struct segment {
	uint32_t type;
	uint64_t offset, size;
};

static void segment64(const void *raw, struct segment *ret)
{
	Elf64_Phdr h;

	memcpy(&h, raw, sizeof(h));
	*ret = (struct segment){ h.p_type, h.p_offset, h.p_filesz };
}

static void segment32(const void *raw, struct segment *ret)
{
	Elf32_Phdr h;

	memcpy(&h, raw, sizeof(h));
	*ret = (struct segment){ h.p_type, h.p_offset, h.p_filesz };
}

/* The table of segments: where, how many, how large each. */
struct table {
	uint64_t offset;
	size_t n, size;
	void (*read)(const void *raw, struct segment *ret);
};

static void find_table(const void *header, bool wide, struct table *ret)
{
	Elf64_Ehdr h64;
	Elf32_Ehdr h32;

	memcpy(&h64, header, sizeof(h64));
	memcpy(&h32, header, sizeof(h32));
	*ret = wide ? (struct table){ h64.e_phoff, h64.e_phnum, sizeof(Elf64_Phdr), segment64 }
		    : (struct table){ h32.e_phoff, h32.e_phnum, sizeof(Elf32_Phdr), segment32 };
	if (ret->n > PHDRS_MAX)
		ret->n = PHDRS_MAX;
}

static const char *read_loader(struct arena *a, int fd, const struct table *t)
{
	unsigned char raw[sizeof(Elf64_Phdr)];
	char name[PATH_MAX];
	struct segment s;

	for (size_t i = 0; i < t->n; i++) {
		if (sys_pread(fd, raw, t->size, t->offset + i * t->size) != (ssize_t)t->size)
			return NULL;
		t->read(raw, &s);
		if (s.type != PT_INTERP)
			continue;
		/* with its end, as the kernel wants it */
		if (s.size < 2 || s.size > sizeof(name) ||
		    sys_pread(fd, name, s.size, s.offset) != (ssize_t)s.size || name[s.size - 1])
			return NULL;
		return arena_strdup(a, name);
	}
	return NULL;
}

int explain_elf_read(struct arena *a, int fd, struct explain_elf *ret)
{
	const unsigned char *own = __ehdr_start.e_ident;
	unsigned char h[sizeof(Elf64_Ehdr)] = { 0 };
	unsigned machine, type;
	struct table table;
	bool little;

	if (sys_pread(fd, h, sizeof(h), 0) < (ssize_t)sizeof(Elf32_Ehdr) ||
	    memcmp(h, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	little = h[EI_DATA] == ELFDATA2LSB;
	type = half(h + offsetof(Elf64_Ehdr, e_type), little);
	machine = half(h + offsetof(Elf64_Ehdr, e_machine), little);
	*ret = (struct explain_elf){
		.foreign = machine != __ehdr_start.e_machine || h[EI_DATA] != own[EI_DATA] ||
			   h[EI_CLASS] != own[EI_CLASS],
		.cousin =
			are_cousins(machine, __ehdr_start.e_machine) && h[EI_DATA] == own[EI_DATA],
		.runs = type == ET_EXEC || type == ET_DYN,
		.arch = arch_name(a, machine, h),
		.host = arch_name(a, __ehdr_start.e_machine, own),
	};
	if (h[EI_DATA] != own[EI_DATA])
		return 0;
	find_table(h, h[EI_CLASS] == ELFCLASS64, &table);
	ret->loader = read_loader(a, fd, &table);
	return 0;
}

const char *explain_libc_of(const char *loader)
{
	static const struct {
		const char *part, *name;
	} rows[] = {
		{ "/ld-musl", "musl" },	    { "/ld-linux", "glibc" }, { "/ld64.so", "glibc" },
		{ "/ld-uClibc", "uClibc" }, { "/linker", "bionic" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (strstr(loader, rows[i].part))
			return rows[i].name;
	return NULL;
}
