// SPDX-License-Identifier: Apache-2.0

import Catalog
import Crypto
import Glibc

/// The file of a stored catalog, in a directory of its own. Its calls wait for the disk.
struct StoreFile: Sendable {
    struct Failure: Error, Hashable, CustomStringConvertible {
        /// What was tried, and the system's words.
        var description: String

        init(_ call: String, _ errorNumber: Int32) {
            self.description = "\(call): \(describe(errorNumber))"
        }

        init(_ description: String) {
            self.description = description
        }
    }

    static let sizeLimit = 1 << 30
    private static let name = "catalog.json"
    private static let newPrefix = ".\(name)."
    private static let newSuffix = ".new"
    private static let asides = 100

    let directory: String
    /// What is not written to the end yet. Nobody else has it, so that nobody else puts the half of it in place: two
    /// processes may share the directory, and in containers even the ID of a process.
    let newPath: String
    var path: String { "\(self.directory)/\(Self.name)" }

    init(directory: String) {
        self.directory = directory
        let number = String(UInt64.random(in: .min ... .max), radix: 16)
        self.newPath = "\(directory)/\(Self.newPrefix)\(number)\(Self.newSuffix)"
    }

    /// Nil: there is none.
    func read() throws(StoreHeader.Refusal) -> StoredCatalog? {
        guard let bytes = try self.bytes() else { return nil }
        let header = try StoreHeader(of: bytes)
        do {
            return try StoredCatalog(
                savedAt: header.savedAt,
                decoding: bytes,
                from: StoreHeader.length,
                version: header.version
            )
        } catch {
            throw StoreHeader.Refusal(reason: "it cannot be understood from byte \(error.offset) on")
        }
    }

    private func bytes() throws(StoreHeader.Refusal) -> [UInt8]? {
        // Non-blocking, in case it is a pipe.
        let file = open(self.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            switch errno {
            case ELOOP: throw StoreHeader.Refusal(reason: "it is a symbolic link", cause: .kind)
            case ENOTDIR:
                throw StoreHeader.Refusal(reason: "\(self.directory) is no directory", cause: .directory)
            default: throw StoreHeader.Refusal(reason: "opening it: \(describe(errno))", cause: .access)
            }
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw StoreHeader.Refusal(reason: describe(errno), cause: .access) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw StoreHeader.Refusal(reason: "it is no regular file", cause: .kind)
        }
        guard status.st_mode & 0o022 == 0 else {
            throw StoreHeader.Refusal(reason: "others may write to it", cause: .mode)
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw StoreHeader.Refusal(reason: "it belongs to another user", cause: .owner)
        }
        guard status.st_size <= Self.sizeLimit else { throw StoreHeader.Refusal(reason: "it is larger than 1 GiB") }
        var failure: Int32 = 0
        let size = Int(status.st_size)
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = Glibc.read(file, buffer.baseAddress.map { $0 + count }, size - count)
                if got < 0, errno == EINTR { continue }
                if got < 0 { failure = errno }
                if got <= 0 { break }
                count += got
            }
        }
        if failure != 0 { throw StoreHeader.Refusal(reason: "reading it: \(describe(failure))", cause: .access) }
        return bytes
    }

    /// Removes what processes left behind that ended while they wrote.
    ///
    /// - Parameter age: in seconds; one that is at it has written a moment ago.
    func removeLeftovers(olderThan age: Int = 600) {
        guard let stream = opendir(self.directory) else { return }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasPrefix(Self.newPrefix), name.hasSuffix(Self.newSuffix) else { continue }
            let path = "\(self.directory)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mtim.tv_sec < time(nil) - age else { continue }
            unlink(path)
        }
    }

    /// What was refused is kept, for whoever wants to know what happened to it.
    ///
    /// - Returns: the new path; nil if it could not be renamed.
    func setAside() -> String? {
        for number in 0..<Self.asides {
            let other = "\(self.path).refused" + (number == 0 ? "" : ".\(number)")
            var status = stat()
            guard lstat(other, &status) != 0 else { continue }
            return rename(self.path, other) == 0 ? other : nil
        }
        return nil
    }

    /// Either all of it, or what was there before, even if the machine stops meanwhile.
    ///
    /// - Returns: how many bytes.
    func write(_ catalog: StoredCatalog) throws(Failure) -> Int {
        try self.makeDirectory()
        unlink(self.newPath)
        let file = open(self.newPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw Failure("making the file", errno) }
        do throws(Failure) {
            let size = try self.fill(file, with: catalog)
            if rename(self.newPath, self.path) != 0 { throw Failure("renaming the file", errno) }
            try self.synchronizeDirectory()
            return size
        } catch {
            unlink(self.newPath)
            throw error
        }
    }

    /// Its parents may be read by others, it itself may not.
    private func makeDirectory() throws(Failure) {
        let names = self.directory.split(separator: "/")
        var path = self.directory.hasPrefix("/") ? "" : "."
        for (place, name) in names.enumerated() {
            path += "/\(name)"
            guard mkdir(path, place == names.count - 1 ? 0o700 : 0o755) != 0, errno != EEXIST else { continue }
            throw Failure("making the directory \(path)", errno)
        }
    }

    private func fill(_ file: Int32, with catalog: StoredCatalog) throws(Failure) -> Int {
        defer { close(file) }
        var hash = SHA256()
        var offset = StoreHeader.length
        try catalog.encode { piece throws(Failure) in
            piece.withUnsafeBytes { hash.update(bufferPointer: $0) }
            try Self.write(piece, to: file, at: offset)
            offset += piece.count
            if offset > Self.sizeLimit { throw Failure("it would be larger than 1 GiB") }
        }
        let header = StoreHeader(savedAt: catalog.savedAt, length: offset - StoreHeader.length, hash: hash)
        try Self.write(Array(header.line.utf8), to: file, at: 0)
        if fsync(file) != 0 { throw Failure("writing the file", errno) }
        return offset
    }

    private static func write(_ bytes: [UInt8], to file: Int32, at start: Int) throws(Failure) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(file, buffer.baseAddress.map { $0 + written }, bytes.count - written, off_t(start + written))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure("writing the file", errno) }
            written += count
        }
    }

    private func synchronizeDirectory() throws(Failure) {
        let directory = open(self.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw Failure("opening the directory", errno) }
        defer { close(directory) }
        // Some file systems have no such thing.
        if fsync(directory) != 0, errno != EINVAL, errno != ENOTSUP { throw Failure("writing the directory", errno) }
    }
}
