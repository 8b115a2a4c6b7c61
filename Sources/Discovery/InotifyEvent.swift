// SPDX-License-Identifier: Apache-2.0

import Glibc

/// One thing that the kernel says happened in a watched directory: `struct inotify_event` of inotify(7).
struct InotifyEvent: Hashable, Sendable {
    /// The watch descriptor; -1 when the kernel's queue overflowed and events were lost.
    var watch: Int32
    var mask: UInt32
    /// The entry inside the directory; empty when it is about the directory itself.
    var name: String

    /// What a directory is watched for. A new file is reported when it is closed; a new symbolic link and a new
    /// directory only when they are created.
    static let interest = UInt32(
        IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_DELETE_SELF
            | IN_MOVE_SELF | IN_ATTRIB
    )

    private func isAny(of kinds: Int32) -> Bool {
        self.mask & UInt32(kinds) != 0
    }

    var isOverflow: Bool { self.isAny(of: IN_Q_OVERFLOW) }

    /// Whether the entry holds all that its writer meant to write: it was closed, or moved here in one piece.
    var completesFile: Bool { self.isAny(of: IN_CLOSE_WRITE | IN_MOVED_TO) && !self.isAny(of: IN_ISDIR) }

    /// Whether the entry was written to or truncated, by a writer who has not closed it.
    var writesFile: Bool { self.isAny(of: IN_MODIFY) }

    /// Whether the entry is not there any more.
    var endsFile: Bool { self.isAny(of: IN_DELETE | IN_MOVED_FROM) }

    /// Whether no more will be heard of the directory.
    var endsWatch: Bool { self.isAny(of: IN_IGNORED) }

    /// Whether the tree may look different now. It does not before the close of a file that is written to, nor after
    /// the close of one that nobody reads (an editor's own), nor when a watch ends, which another event announced.
    var concernsDocuments: Bool {
        if self.endsWatch || self.writesFile { return false }
        return !self.isAny(of: IN_CLOSE_WRITE) || DocumentName.isDocument(self.name)
    }

    /// The events in what one `read` of an inotify descriptor gave. The kernel writes only whole events, so a
    /// remainder too short to be one is nothing.
    static func decode(_ bytes: [UInt8]) -> [InotifyEvent] {
        // int wd; uint32_t mask; uint32_t cookie; uint32_t len; char name[len], padded with zeros.
        let header = 16
        var events: [InotifyEvent] = []
        var rest = bytes[...]
        while rest.count >= header {
            let words = rest.withUnsafeBytes { raw in
                (
                    watch: raw.loadUnaligned(fromByteOffset: 0, as: Int32.self),
                    mask: raw.loadUnaligned(fromByteOffset: 4, as: UInt32.self),
                    length: raw.loadUnaligned(fromByteOffset: 12, as: UInt32.self)
                )
            }
            rest = rest.dropFirst(header)
            guard rest.count >= Int(words.length) else { break }
            let name = rest.prefix(Int(words.length)).prefix { $0 != 0 }
            events.append(
                InotifyEvent(watch: words.watch, mask: words.mask, name: String(decoding: name, as: UTF8.self))
            )
            rest = rest.dropFirst(Int(words.length))
        }
        return events
    }
}
