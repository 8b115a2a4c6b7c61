// SPDX-License-Identifier: Apache-2.0

/// Decides which files a new listing asks to be read, from what was read before.
///
/// A file that is still being written must not be read: one that nobody is known to have closed is left alone until
/// nothing has happened to it for a while, and what was read of it before stays. What is below a directory that cannot
/// be listed stays too: not seeing is not the same as gone.
package struct FileTree: Sendable {
    private enum Known: Hashable {
        case read(FileSignature)
        case unreadable(String)
    }

    /// How many nanoseconds a file must have been left unchanged to be read without having been closed.
    package struct Quiet: Sendable {
        package var unknown: Int64
        /// The close of a file being written will be told, unless that was lost or its writer keeps it open.
        package var writing: Int64

        package init(unknown: Int64, writing: Int64) {
            self.unknown = unknown
            self.writing = writing
        }

        package static let none = Quiet(unknown: 0, writing: 0)
        package static let usual = Quiet(unknown: 50_000_000, writing: 5_000_000_000)
    }

    package struct Plan: Hashable, Sendable {
        /// To be read, in order.
        package var read: [String] = []
        package var removed: [String] = []
        /// Found unreadable by the listing itself, and why.
        package var unreadable: [String: String] = [:]
        /// Whether some files were left alone because they are too young.
        package var isUnsettled = false
    }

    private var known: [String: Known] = [:]

    package init() {}

    /// Compares, and takes note of what is removed and what is unreadable. What is to be read stays to be read until
    /// `wasRead` is called for it.
    package mutating func compare(with listing: FileListing, quiet: Quiet) -> Plan {
        var plan = Plan()
        for (path, entry) in listing.entries {
            switch entry {
            case .file(let signature, let writer):
                // What was closed is read even if its signature is the same: it may have been written twice within
                // one tick of the kernel's clock.
                if writer != .done, self.known[path] == .read(signature) { continue }
                // A time in the future is a clock that was set back: no reason to wait for it.
                let age = listing.taken - signature.changed
                switch writer {
                case .unknown where (0..<quiet.unknown).contains(age):
                    plan.isUnsettled = true
                case .writing where (0..<quiet.writing).contains(age):
                    break
                case .done, .writing, .unknown:
                    plan.read.append(path)
                }
            case .unreadable(let reason):
                if self.wasUnreadable(path, because: reason) { plan.unreadable[path] = reason }
            }
        }
        for path in self.known.keys where listing.entries[path] == nil && !listing.isBelowUnlisted(path) {
            plan.removed.append(path)
        }
        for path in plan.removed {
            self.known[path] = nil
        }
        plan.read.sort()
        plan.removed.sort()
        return plan
    }

    /// Takes note that `path` was read, and had this signature before and after.
    package mutating func wasRead(_ path: String, as signature: FileSignature) {
        self.known[path] = .read(signature)
    }

    /// Takes note that `path` could not be read; reading it is tried again with each listing, for the reason need not
    /// show in its signature. True when that is news.
    package mutating func wasUnreadable(_ path: String, because reason: String) -> Bool {
        self.known.updateValue(.unreadable(reason), forKey: path) != .unreadable(reason)
    }
}
