// SPDX-License-Identifier: Apache-2.0

/// A variable that cannot be understood, and the cure.
package struct EnvironmentError: Error, Hashable, Sendable, CustomStringConvertible {
    package var variable: String
    /// Goes on from the variable's name.
    package var message: String

    package var description: String { "\(self.variable): \(self.message)" }

    init(_ variable: String, _ message: String) {
        self.variable = variable
        self.message = message
    }
}

/// Reads variables as Go programs do: one that is empty is not set.
struct EnvironmentVariables {
    private let values: [String: String]

    init(_ values: [String: String]) {
        self.values = values
    }

    subscript(_ name: String) -> String? {
        guard let value = self.values[name], !value.isEmpty else { return nil }
        return value
    }

    /// See https://pkg.go.dev/strconv#ParseBool
    func bool(_ name: String) throws(EnvironmentError) -> Bool? {
        switch self[name] {
        case nil: return nil
        case "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        case let other?:
            throw EnvironmentError(name, "\"\(APIError.printable(other))\" is no truth value; write true or false")
        }
    }

    /// An address, and the path that a proxy in front wants before all others.
    func address(_ name: String, isSecure: Bool = false) throws(EnvironmentError) -> (APIAddress, prefix: String)? {
        guard let text = self[name] else { return nil }
        var host = text[...]
        var prefix = ""
        if !text.hasPrefix("unix://") {
            let start = text.firstRange(of: "://")?.upperBound ?? text.startIndex
            if let slash = text[start...].firstIndex(of: "/") {
                prefix = String(text[slash...])
                while prefix.hasSuffix("/") { prefix.removeLast() }
                host = text[..<slash]
            }
        }
        do throws(APIAddress.InvalidText) {
            return (try APIAddress(String(host), isSecure: isSecure), prefix)
        } catch {
            throw EnvironmentError(name, APIError.printable(error.description))
        }
    }

    /// Both or neither.
    func clientCertificate(_ certificate: String, _ key: String) throws(EnvironmentError) -> (String?, String?) {
        switch (self[certificate], self[key]) {
        case (_?, nil): throw EnvironmentError(key, "is not set, but \(certificate) is; set both or neither")
        case (nil, _?): throw EnvironmentError(certificate, "is not set, but \(key) is; set both or neither")
        case let both: return both
        }
    }

    /// What a header can carry.
    func token(_ name: String) throws(EnvironmentError) -> TokenSource? {
        guard let text = self[name] else { return nil }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw EnvironmentError(name, "holds white space or other signs that are in no token; set the token alone")
        }
        return .value(text)
    }
}
