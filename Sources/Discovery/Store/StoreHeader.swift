// SPDX-License-Identifier: Apache-2.0

import Crypto

/// The first line of a stored catalog: what the rest is, and its checksum.
///
/// It has one text and no other, of a length that is known before the rest is: so the rest can be written as it is made,
/// and every bit of the file counts.
///
///     signalbox-catalog 2 saved-at=00000000001762164000 length=00000000000000123456 sha256=(64 digits)
struct StoreHeader: Hashable {
    /// Why a file is not taken.
    struct Refusal: Error, Hashable {
        enum Cause: Hashable, CaseIterable {
            /// What is in it is not what was written, or of another version.
            case content
            case mode
            case owner
            /// A link, a directory or a pipe.
            case kind
            /// It cannot be read.
            case access
            /// That of the file is none.
            case directory
        }

        var reason: String
        var cause = Cause.content

        /// - Parameters:
        ///   - path: where it is now.
        ///   - original: where it was, if that is another place.
        func cure(of path: String, original: String?) -> String {
            let back = original.map { ", move it back to \($0)" } ?? ""
            // A running one would write over it.
            let again = "\(back) while Signalbox is stopped, and start it; else delete it"
            return switch self.cause {
            case .content:
                "restore \(original ?? path) from a backup while Signalbox is stopped, and start it, or delete \(path)"
            case .mode: "if nobody else wrote to it: chmod go-w \(path)\(again)"
            case .owner: "if it is Signalbox's: chown it to the user that Signalbox runs as (\(path))\(again)"
            case .kind: "put the file itself there, or delete \(path), and start again"
            case .access: "let the user that Signalbox runs as read \(path)\(again)"
            case .directory: "correct state.directory"
            }
        }
    }

    /// Of what is written. Version 1 had one time for all parts of a source.
    static let version = 2
    private static let readable = 1...Self.version
    private static let name = "signalbox-catalog"
    private static let numberLength = 20
    static let length = Self(version: Self.version, savedAt: 0, length: 0, digest: Self.digits(of: SHA256().finalize()))
        .line.utf8.count

    var version: Int
    /// In seconds since 1970, not negative.
    var savedAt: Int64
    /// Of what follows.
    var length: Int
    /// Lower case.
    var digest: String

    private init(version: Int, savedAt: Int64, length: Int, digest: String) {
        self.version = version
        self.savedAt = savedAt
        self.length = length
        self.digest = digest
    }

    /// - Parameter hash: of what follows.
    init(version: Int = Self.version, savedAt: Int64, length: Int, hash: SHA256) {
        self.init(version: version, savedAt: max(0, savedAt), length: length, digest: "")
        var hash = hash
        hash.update(data: Array(self.checkedPart.utf8))
        self.digest = Self.digits(of: hash.finalize())
    }

    var line: String { "\(self.checkedPart)\(self.digest)\n" }

    private var checkedPart: String {
        "\(Self.name) \(self.version) saved-at=\(Self.padded(self.savedAt)) length=\(Self.padded(self.length)) sha256="
    }

    /// The header of a whole file whose checksum is right.
    init(of file: [UInt8]) throws(Refusal) {
        guard file.starts(with: "\(Self.name) ".utf8) else { throw Refusal(reason: "it is no stored catalog") }
        let words = file.prefix(Self.length).split(separator: UInt8(ascii: " ")).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard let version = Self.readable.first(where: { words.dropFirst().first == "\($0)" }) else {
            let readable = Self.readable.map(\.description).joined(separator: " or ")
            throw Refusal(reason: "it is of another version than \(readable)")
        }
        guard file.count >= Self.length, words.count == 5, let savedAt = Self.number(words[2], "saved-at="),
            let length = Self.number(words[3], "length=")
        else { throw Refusal(reason: "its first line is damaged") }
        guard file.count == Self.length + Int(length) else {
            throw Refusal(reason: "it has \(file.count - Self.length) bytes and should have \(length)")
        }
        var hash = SHA256()
        file[Self.length...].withUnsafeBytes { hash.update(bufferPointer: $0) }
        self.init(version: version, savedAt: savedAt, length: Int(length), hash: hash)
        guard file.starts(with: self.line.utf8) else { throw Refusal(reason: "its checksum is wrong") }
    }

    private static func padded(_ number: some BinaryInteger) -> String {
        let digits = number.description
        return String(repeating: "0", count: max(0, Self.numberLength - digits.utf8.count)) + digits
    }

    private static func number(_ word: String, _ prefix: String) -> Int64? {
        guard word.hasPrefix(prefix) else { return nil }
        let digits = word.dropFirst(prefix.count)
        // Within an Int64 and far from its end, so that sums of it are, too.
        guard digits.utf8.count == Self.numberLength, digits.hasPrefix("00") else { return nil }
        return Int64(digits).flatMap { $0 >= 0 ? $0 : nil }
    }

    private static func digits(of digest: SHA256.Digest) -> String {
        digest.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
