// SPDX-License-Identifier: Apache-2.0

// What a thread does that finds a Mutex of Swift's Synchronization locked, in a way that the thread sanitizer sees.
//
// The library is not compiled with the sanitizer. To lock a free Mutex and to unlock one is inlined into its caller, and is
// seen; to wait for one is not, so that everything under a contended Mutex is reported as a race. This takes the place of
// that one function, by LD_PRELOAD: it never sleeps in the kernel, so that unlocking is always the inlined way.
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

// Not there in programs that are not under the sanitizer.
extern void __tsan_acquire(void *) __attribute__((weak));

// Synchronization._MutexHandle._lockSlow(Swift.UInt32) -> ()
__attribute__((swiftcall)) void lock_slow(uint32_t thread, __attribute__((swift_context)) _Atomic uint32_t *owner)
    __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");

__attribute__((swiftcall)) void lock_slow(uint32_t thread, __attribute__((swift_context)) _Atomic uint32_t *owner) {
  for (;;) {
    uint32_t nobody = 0;
    if (atomic_compare_exchange_weak_explicit(owner, &nobody, thread, memory_order_acquire, memory_order_relaxed)) break;
    sched_yield();
  }
  if (__tsan_acquire) __tsan_acquire((void *)owner);
}
