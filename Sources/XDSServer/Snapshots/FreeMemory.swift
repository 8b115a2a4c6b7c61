// SPDX-License-Identifier: Apache-2.0

import CMalloc

/// The memory that `malloc` keeps though nobody uses it.
enum FreeMemory {
    /// Gives whole pages of it back to the system, of all arenas, in some milliseconds.
    ///
    /// By itself `malloc` gives back only what is free at the end of an arena, and what is made last stays longest: after a
    /// catalog was read, or a group's resources were made, a third of the process may be holes. It would give back more
    /// under a lower `M_TRIM_THRESHOLD`, but then at every change, which costs three times the CPU of one.
    static func giveBack() {
        malloc_trim(0)
    }
}
