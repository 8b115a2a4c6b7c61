// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Lists the root and everything below it, and watches each directory on the way.
///
/// Symbolic links are followed, to files and to directories, so that a release is switched by switching a link; a link
/// back to a directory that it is in is passed over. A directory is watched before it is listed: what is created in
/// between is seen twice and never missed.
struct FileWalk {
    static let depthLimit = 16

    /// Begins to watch the directory, if it can be watched.
    private let watch: (String) -> Int32?
    private let writers: FileWriters
    private(set) var listing: FileListing
    /// The watches of the directories that are part of the tree now.
    private(set) var watches: Set<Int32> = []
    /// What to put before a path of the listing to open it.
    private(set) var base: String

    /// - Parameter entry: the root as an entry of its parent directory, where that is watched.
    init(root: String, writers: FileWriters, entry: WatchedName?, watch: @escaping (String) -> Int32?) {
        self.watch = watch
        self.writers = writers
        self.listing = FileListing(taken: Self.now())
        self.base = root.hasSuffix("/") ? root : root + "/"
        var status = stat()
        if stat(root, &status) != 0 {
            self.missing(errno, at: "")
        } else if status.st_mode & S_IFMT == S_IFREG {
            self.base = ""
            let writer = entry.map { writers.writer(of: $0) } ?? .unknown
            self.listing.entries[root] = .file(FileSignature(status), writer)
        } else {
            self.walk("", status, ancestors: [])
        }
    }

    /// `directory` is relative to the root; "" is the root.
    private mutating func walk(_ directory: String, _ status: stat, ancestors: [FileIdentity]) {
        let identity = FileIdentity(status)
        if ancestors.contains(identity) { return }
        if ancestors.count > Self.depthLimit {
            self.refuse(directory, reason: "is more than \(Self.depthLimit) directories deep")
            return
        }
        let watch = self.watch(self.base + directory)
        if let watch { self.watches.insert(watch) }
        guard let stream = opendir(self.base + directory) else {
            self.missing(errno, at: directory)
            return
        }
        defer { closedir(stream) }
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let type = Int(entry.pointee.d_type)
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if DocumentName.isHidden(name) || (type == DT_REG && !DocumentName.isDocument(name)) { continue }
            self.visit(
                name,
                at: directory.isEmpty ? name : "\(directory)/\(name)",
                watch.map { self.writers.writer(of: WatchedName(watch: $0, name: name)) } ?? .unknown,
                ancestors: ancestors + [identity]
            )
        }
        // The end or an error; after an error, what was not listed is not gone.
        if errno != 0 { self.refuse(directory, reason: describe(errno)) }
    }

    private mutating func visit(
        _ name: String,
        at path: String,
        _ writer: FileListing.Writer,
        ancestors: [FileIdentity]
    ) {
        var status = stat()
        if stat(self.base + path, &status) != 0 {
            let reason = errno
            if reason != ENOENT {
                self.refuse(path, reason: describe(reason))
            } else if DocumentName.isDocument(name), lstat(self.base + path, &status) == 0 {
                self.listing.entries[path] = .unreadable("is a symbolic link to a file that does not exist")
            }
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
            self.walk(path, status, ancestors: ancestors)
        case S_IFREG where DocumentName.isDocument(name):
            self.listing.entries[path] = .file(FileSignature(status), writer)
        case _ where DocumentName.isDocument(name):
            self.listing.entries[path] = .unreadable("is not a regular file")
        default:
            break
        }
    }

    /// `path` could not be opened.
    private mutating func missing(_ reason: Int32, at path: String) {
        // Only these two say that it is not there; after any other nothing is known of what is below.
        if reason != ENOENT, reason != ENOTDIR {
            self.refuse(path, reason: describe(reason))
        } else if path.isEmpty {
            self.listing.problem = .missing
        }
    }

    private mutating func refuse(_ path: String, reason: String) {
        if path.isEmpty {
            self.listing.problem = .unreadable(reason)
        } else {
            self.listing.entries[path] = .unreadable(reason)
        }
        self.listing.unlisted.insert(path)
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// Which file or directory it is, whatever it is called.
private struct FileIdentity: Hashable {
    var device: UInt64
    var inode: UInt64

    init(_ status: stat) {
        self.device = UInt64(status.st_dev)
        self.inode = UInt64(status.st_ino)
    }
}
