// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Reads a token or a certificate: a small regular file, whole.
enum SmallFile {
    /// A bundle of all public authorities has 200 KiB.
    static let limit = 4 * 1024 * 1024

    /// Why a file cannot be read, as the end of a sentence.
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    static func read(_ path: String) throws(Failure) -> [UInt8] {
        // Non-blocking, in case it is a pipe.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw Self.failure(errno) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw Self.failure(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(description: "it is no regular file") }
        var bytes: [UInt8] = []
        while true {
            var code: Int32 = 0
            let chunk = [UInt8](unsafeUninitializedCapacity: 64 * 1024) { buffer, count in
                let got = Glibc.read(file, buffer.baseAddress, buffer.count)
                if got < 0 { code = errno }
                count = max(0, got)
            }
            if code == EINTR { continue }
            guard code == 0 else { throw Self.failure(code) }
            guard !chunk.isEmpty else { return bytes }
            bytes += chunk
            guard bytes.count <= Self.limit else { throw Failure(description: "it is larger than 4 MiB") }
        }
    }

    /// Differs if the file is another one, or was written to.
    struct Signature: Hashable, Sendable {
        private let numbers: [Int64]

        fileprivate init(_ status: stat) {
            self.numbers = [
                Int64(truncatingIfNeeded: status.st_dev), Int64(truncatingIfNeeded: status.st_ino),
                Int64(status.st_size),
                Int64(status.st_ctim.tv_sec), Int64(status.st_ctim.tv_nsec),
            ]
        }
    }

    /// Nil: there is none, or it cannot be told.
    static func signature(of path: String) -> Signature? {
        var status = stat()
        return stat(path, &status) == 0 ? Signature(status) : nil
    }

    /// The paths of the files in a directory and below, in order; at most 1,000.
    static func paths(in directory: String, depth: Int = 0) throws(Failure) -> [String] {
        guard let handle = opendir(directory) else { throw Self.failure(errno) }
        defer { closedir(handle) }
        var paths: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name != ".", name != ".." else { continue }
            let path = directory + "/" + name
            var status = stat()
            guard stat(path, &status) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFREG: paths.append(path)
            case S_IFDIR where depth < 8: paths += try Self.paths(in: path, depth: depth + 1)
            default: break
            }
            guard paths.count <= 1000 else { throw Failure(description: "it has more than 1000 files") }
        }
        return paths.sorted()
    }

    private static func failure(_ code: Int32) -> Failure {
        switch code {
        case ENOENT: Failure(description: "there is no such file")
        case EACCES: Failure(description: "there is no permission to read it")
        default: Failure(description: "error \(code)")
        }
    }
}
