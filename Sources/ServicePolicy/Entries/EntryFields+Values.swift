// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// Values that several kinds of entries have.
extension EntryFields {
    /// The name of a service, a subset or a datacenter: it becomes a part of a name in Envoy.
    func name(_ name: String) throws(EntryRefusal) -> String? {
        guard let text = try self.string(name) else { return nil }
        guard text.isLabel else {
            throw self.refusal(name, "'\(text.printable)' is no name", cure: "write up to 255 characters of ASCII")
        }
        return text
    }

    /// Consul lets anybody who may write an entry name any service, whether there is one or not.
    private func serviceName(_ name: String) throws(EntryRefusal) -> ServiceName? {
        guard let service = try self.name(name).map({ ServiceName($0) }) else { return nil }
        guard !service.isLikeOurs else {
            throw self.refusal(
                name,
                "'\(service.rawValue.printable)' begins with \(ServiceName.prefixOfOurs), as Signalbox's own names do in a proxy",
                cure: "register the service under another name, and write that"
            )
        }
        return service
    }

    /// - Parameter datacenter: the field that has it, if one does.
    func reference(datacenter: String? = nil) throws(EntryRefusal) -> ServiceReference {
        try self.requireOwnNamespace()
        return ServiceReference(
            service: try self.serviceName("Service"),
            subset: try self.name("ServiceSubset"),
            datacenter: try datacenter.flatMap { name throws(EntryRefusal) in try self.name(name) }
        )
    }

    /// Below zero it is Consul's word for none at all, which is `.zero` here. Zero says nothing.
    func timeout(_ name: String) throws(EntryRefusal) -> Duration? {
        switch self.members[name] {
        case .string(let text) where text.hasPrefix("-"):
            guard let magnitude = GoDuration.parse(String(text.dropFirst())) else { break }
            return magnitude > .zero ? .zero : nil
        case .number(let text): if let nanoseconds = Int64(text), nanoseconds < 0 { return .zero }
        default: break
        }
        return try self.duration(name)
    }

    /// The catalog has one namespace and one partition; nothing of another may be taken for something of this.
    func requireOwnNamespace() throws(EntryRefusal) {
        for name in ["Namespace", "Partition", "Peer", "SamenessGroup"] {
            guard let value = try self.string(name) else { continue }
            guard value == "default", name == "Namespace" || name == "Partition" else {
                throw self.refusal(
                    name,
                    "services of other namespaces, partitions and peers are not known",
                    cure: "name a service of the default namespace and partition"
                )
            }
        }
    }

    /// `{Add, Set, Remove}`.
    func headerModifier(
        _ name: String,
        in findings: inout EntryFindings
    ) throws(EntryRefusal) -> HeaderModifier {
        guard let edits = try self.object(name) else { return HeaderModifier() }
        edits.note(allBut: ["Add", "Set", "Remove"], in: &findings)
        var modifier = HeaderModifier()
        modifier.add = try edits.headers("Add", in: &findings)
        modifier.set = try edits.headers("Set", in: &findings)
        for (index, header) in try edits.strings("Remove").enumerated() {
            modifier.remove.append(try edits.editableHeader(header, of: "Remove[\(index)]"))
        }
        return modifier
    }

    private func headers(
        _ name: String,
        in findings: inout EntryFindings
    ) throws(EntryRefusal) -> [HeaderModifier.Header] {
        guard let headers = try self.object(name) else { return [] }
        var edits: [HeaderModifier.Header] = []
        // A proxy refuses more edits than this.
        guard headers.members.count <= 100 else {
            throw self.refusal(name, "it has over 100 headers", cure: "take some out")
        }
        for key in headers.members.keys.sorted() {
            let value = try headers.string(key) ?? ""
            guard value.isHeaderValue else {
                throw headers.refusal(key.printable, "its value has control characters", cure: "take them out")
            }
            if value.utf8.contains(UInt8(ascii: "%")) {
                findings.unused.append(
                    headers.refusal(
                        key.printable,
                        "what stands between % is not replaced but sent as it is",
                        cure: "write a value without %"
                    )
                )
            }
            edits.append(.init(name: try self.editableHeader(key, of: name), value: value))
        }
        return edits
    }

    private func editableHeader(_ header: String, of field: String) throws(EntryRefusal) -> String {
        guard header.isHeaderName, header.lowercased() != "host" else {
            throw self.refusal(
                field,
                "'\(header.printable)' is no name of a header that may be edited",
                cure: "write letters, digits and dashes, and not host"
            )
        }
        return header.lowercased()
    }
}

extension String {
    /// Printable ASCII without spaces.
    var isLabel: Bool {
        (1...255).contains(self.utf8.count)
            && self.utf8.allSatisfy { (UInt8(ascii: "!")...UInt8(ascii: "~")).contains($0) }
    }

    var isHeaderName: Bool {
        self.utf8.count <= TextSyntax.maximumHeaderNameBytes && TextSyntax.isToken(self)
    }

    var isHeaderValue: Bool {
        self.utf8.count <= TextSyntax.maximumHeaderValueBytes && !TextSyntax.hasControlCharacters(self)
    }

    /// Two slashes in a row match nothing: a proxy makes them one.
    var isPath: Bool {
        self.utf8.count <= TextSyntax.maximumPathBytes && self.utf8.allSatisfy { $0 < 0x80 } && TextSyntax.isPath(self)
    }
}
