// SPDX-License-Identifier: Apache-2.0

// Notes which functions of a program are called at all. Preloaded: puts a breakpoint on each, which is taken away when it
// is met. TRACE_PROGRAM is the program (others are left alone), TRACE_FUNCTIONS a file of the addresses in it, sorted, of
// 8 bytes each, TRACE_OUT what the name of the file begins with to which indices into that are written, of 4 bytes each,
// after their count. x86-64 only.
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

enum { BREAKPOINT = 0xCC };

static const uint64_t *functions;
static size_t count;
static uint8_t *first_bytes;
static uint32_t *called;
static uintptr_t program;

static void met(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info;
  greg_t *next = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
  const uintptr_t at = (uintptr_t)*next - 1;
  size_t low = 0, high = count;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (functions[middle] < at - program) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == count || functions[low] != at - program) {
    abort();
  }
  // Another thread may have met it too.
  if (__atomic_exchange_n((uint8_t *)at, first_bytes[low], __ATOMIC_SEQ_CST) == BREAKPOINT) {
    called[__atomic_add_fetch(&called[0], 1, __ATOMIC_SEQ_CST)] = (uint32_t)low;
  }
  *next = (greg_t)at;
}

// The first object is the program itself.
static int unprotect(struct dl_phdr_info *object, size_t size, void *context) {
  (void)size, (void)context;
  program = object->dlpi_addr;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &object->dlpi_phdr[i];
    if (part->p_type == PT_LOAD && (part->p_flags & PF_X)) {
      const uintptr_t begin = program + part->p_vaddr, page = begin & ~(uintptr_t)4095;
      mprotect((void *)page, begin + part->p_memsz - page, PROT_READ | PROT_WRITE | PROT_EXEC);
    }
  }
  return 1;
}

__attribute__((constructor)) static void begin(void) {
  const char *wanted = getenv("TRACE_PROGRAM"), *list = getenv("TRACE_FUNCTIONS"), *out = getenv("TRACE_OUT");
  char name[PATH_MAX] = {0};
  if (!wanted || !list || !out || readlink("/proc/self/exe", name, sizeof name - 1) < 0 || strcmp(name, wanted) != 0) {
    return;
  }
  struct stat status;
  int file = open(list, O_RDONLY | O_CLOEXEC);
  if (file < 0 || fstat(file, &status) < 0) {
    abort();
  }
  count = (size_t)status.st_size / sizeof *functions;
  functions = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
  close(file);

  snprintf(name, sizeof name, "%s.%d", out, getpid());
  const size_t length = (count + 1) * sizeof *called;
  file = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0 || ftruncate(file, (off_t)length) < 0) {
    abort();
  }
  called = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  first_bytes = malloc(count);
  if (functions == MAP_FAILED || called == MAP_FAILED || first_bytes == NULL) {
    abort();
  }

  struct sigaction action = {.sa_sigaction = met, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK | SA_RESTART};
  sigaction(SIGTRAP, &action, NULL);
  dl_iterate_phdr(unprotect, NULL);
  for (size_t i = 0; i < count; i++) {
    uint8_t *function = (uint8_t *)(program + functions[i]);
    first_bytes[i] = *function;
    *function = BREAKPOINT;
  }
}
