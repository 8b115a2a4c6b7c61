// SPDX-License-Identifier: Apache-2.0

/// Which names in a directory are documents, and which are nobody's business.
enum DocumentName {
    private static let extensions = [".yaml", ".yml", ".json"]

    /// Whether an entry is skipped, whatever it is: `.git`, `..data`, an editor's `.web.yaml.swp`.
    static func isHidden(_ name: String) -> Bool {
        name.hasPrefix(".")
    }

    /// Whether a file of this name is read. What editors leave beside the file (`web.yaml~`, `#web.yaml#`,
    /// `web.yaml.swp`, `4913`) does not end like a document.
    static func isDocument(_ name: String) -> Bool {
        !self.isHidden(name) && !name.hasPrefix("#") && self.extensions.contains { name.hasSuffix($0) }
    }
}
