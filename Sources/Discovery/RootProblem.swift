// SPDX-License-Identifier: Apache-2.0

/// Why the directory of documents, or the one file, could not be listed.
package enum RootProblem: Hashable, Sendable, CustomStringConvertible {
    case missing
    /// It is there, or may be; why nothing is known of it.
    case unreadable(String)

    package var description: String {
        switch self {
        case .missing: "does not exist"
        case .unreadable(let reason): "cannot be read: \(reason)"
        }
    }

    /// For who runs the server: with the path, the setting that has it, and the cure.
    package func explained(of root: String) -> String {
        let name = root.split(separator: "/").last ?? ""
        let noun = DocumentName.isDocument(String(name)) ? "file" : "directory"
        let cure =
            switch self {
            case .missing: "make it"
            case .unreadable: "let the user that Signalbox runs as read it"
            }
        return "the \(noun) \(root) (documents) \(self): \(cure), or correct documents"
    }
}
