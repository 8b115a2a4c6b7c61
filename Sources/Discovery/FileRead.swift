// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What came of reading one file.
enum FileRead {
    /// The content of the version that the signature tells.
    case bytes([UInt8], FileSignature)
    case unreadable(String)
    /// It went away or was written to meanwhile: to be looked at again.
    case moving

    /// A document is written by people: a larger one is a mistake.
    static let limit = 4 * 1024 * 1024

    init(_ path: String) {
        // Non-blocking, in case a pipe took the file's place.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            let reason = errno
            self = reason == ENOENT ? .moving : .unreadable(describe(reason))
            return
        }
        defer { close(file) }
        guard let before = Self.signature(of: file) else {
            self = .moving
            return
        }
        if before.size > Self.limit {
            self = .unreadable("is larger than \(Self.limit / 1024 / 1024) MiB")
            return
        }
        do {
            let bytes = try Self.bytes(of: file, expecting: Int(before.size))
            // Written to while it was read: half of it may be old and half new.
            self = Self.signature(of: file) == before ? .bytes(bytes, before) : .moving
        } catch {
            self = .unreadable(describe(error.code))
        }
    }

    private struct ReadError: Error {
        var code: Int32
    }

    private static func signature(of file: Int32) -> FileSignature? {
        var status = stat()
        return fstat(file, &status) == 0 ? FileSignature(status) : nil
    }

    private static func bytes(of file: Int32, expecting size: Int) throws(ReadError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = read(file, buffer.baseAddress.map { $0 + count }, size - count)
                if got < 0, errno == EINTR { continue }
                if got < 0 { failure = errno }
                if got <= 0 { break }
                count += got
            }
        }
        if failure != 0 { throw ReadError(code: failure) }
        return bytes
    }
}

/// The system's words for an error number: "Permission denied".
func describe(_ errorNumber: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
        guard let start = buffer.baseAddress, strerror_r(errorNumber, start, buffer.count) == 0 else {
            return "error \(errorNumber)"
        }
        return String(cString: start)
    }
}
