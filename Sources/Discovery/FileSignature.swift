// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What tells one version of a file from another without reading it.
///
/// The time is the kernel's own `ctime` and not `mtime`, which `cp -p`, `rsync -t` and `touch -d` set to what they
/// like; a change of permissions shows too. The inode tells a file that took another one's place.
package struct FileSignature: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64
    package var size: Int64
    /// Nanoseconds since 1970.
    package var changed: Int64

    package init(device: UInt64, inode: UInt64, size: Int64, changed: Int64) {
        self.device = device
        self.inode = inode
        self.size = size
        self.changed = changed
    }

    init(_ status: stat) {
        self.init(
            device: UInt64(status.st_dev),
            inode: UInt64(status.st_ino),
            size: Int64(status.st_size),
            changed: Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
        )
    }
}
