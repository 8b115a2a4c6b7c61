// SPDX-License-Identifier: Apache-2.0

/// One document's share of a file, cut out before anything is parsed, so that a syntax error costs one document and
/// not the file.
///
/// A line that begins with `---` or `...` and goes on with white space or nothing is a document marker wherever it
/// stands, inside quotes and block scalars too: https://yaml.org/spec/1.2.2/#914-explicit-documents
struct DocumentText {
    /// Line of the file, from 1, on which `bytes` begins.
    let firstLine: Int
    /// With its `---`, if it has one.
    let bytes: ArraySlice<UInt8>

    /// The documents of a file in their order, but for those that hold only blank lines, comments and directives.
    static func split(_ file: [UInt8]) -> [DocumentText] {
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        var documents: [DocumentText] = []
        var start = file.starts(with: byteOrderMark) ? byteOrderMark.count : 0
        var firstLine = 1
        var isEmpty = true

        func cut(at end: Int) {
            if !isEmpty {
                documents.append(DocumentText(firstLine: firstLine, bytes: file[start..<end]))
            }
        }

        var line = 1
        var position = start
        while position < file.endIndex {
            let lineEnd = file[position...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? file.endIndex
            let content = file[position..<lineEnd]
            if Self.isMarker(content, of: UInt8(ascii: "-")) {
                cut(at: position)
                (start, firstLine) = (position, line)
                isEmpty = Self.isInsignificant(content.dropFirst(3))
            } else if Self.isMarker(content, of: UInt8(ascii: ".")) {
                cut(at: position)
                (start, firstLine) = (lineEnd, line + 1)
                isEmpty = true
            } else if isEmpty {
                isEmpty = Self.isInsignificant(content)
            }
            position = lineEnd
            line += 1
        }
        cut(at: file.endIndex)
        return documents
    }

    private static func isMarker(_ line: ArraySlice<UInt8>, of character: UInt8) -> Bool {
        line.prefix(3).elementsEqual(repeatElement(character, count: 3))
            && line.dropFirst(3).first.map(Self.isWhitespace) != false
    }

    private static func isInsignificant(_ line: ArraySlice<UInt8>) -> Bool {
        if line.first == UInt8(ascii: "%") { return true }
        let content = line.first { !Self.isWhitespace($0) }
        return content == nil || content == UInt8(ascii: "#")
    }

    private static func isWhitespace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
            || byte == UInt8(ascii: "\n")
    }
}
