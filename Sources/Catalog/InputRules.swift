// SPDX-License-Identifier: Apache-2.0

/// What of a service, as a source tells of it, is let in. One bad instance costs that instance and nothing else.
package struct InputRules: Hashable, Sendable {
    package var addresses: AddressRules
    package var texts: TextLimits

    package init(addresses: AddressRules = AddressRules(), texts: TextLimits = TextLimits()) {
        self.addresses = addresses
        self.texts = texts
    }

    /// - Returns: nil in place of a service whose name is refused; and one diagnostic for each reason that something was
    ///   left out, whatever the number of instances.
    package func admit(_ service: Service, from source: SourceName) -> (service: Service?, diagnostics: [Diagnostic]) {
        guard self.texts.isName(service.name.rawValue) else {
            return (nil, [Self.refusedName(of: service, from: source)])
        }
        // Of nearly every service there is nothing to be said, and nothing to be copied.
        guard !self.isGood(service.instances) else { return (service, []) }
        var findings = Findings()
        var admitted: [Instance] = []
        for instance in service.instances {
            // They are in the order of their IDs.
            if admitted.last?.id == instance.id {
                findings.count(.duplicate, instance)
            } else if !self.texts.isName(instance.id.rawValue, limit: self.texts.instanceID) {
                findings.count(.name, instance)
            } else if let refusal = self.addresses.refusal(of: instance.address, port: instance.port) {
                findings.count(.address(refusal), instance)
            } else if !self.texts.isClean(instance) {
                findings.count(.text, instance)
                admitted.append(self.texts.cleaned(instance))
            } else {
                admitted.append(instance)
            }
        }
        return (
            Service(name: service.name, instances: admitted, origin: service.origin),
            findings.diagnostics(of: service.name)
        )
    }

    private func isGood(_ instances: [Instance]) -> Bool {
        for index in instances.indices {
            if index > 0, instances[index - 1].id == instances[index].id { return false }
            let isGood =
                self.texts.isName(instances[index].id.rawValue, limit: self.texts.instanceID)
                && self.addresses.refusal(of: instances[index].address, port: instances[index].port) == nil
                && self.texts.isClean(instances[index])
            if !isGood { return false }
        }
        return true
    }

    private static func refusedName(of service: Service, from source: SourceName) -> Diagnostic {
        Diagnostic(
            .error,
            code: "SB312",
            subject: "service/\(service.name.rawValue.printable)",
            message: "the name of the service in \(source) is empty, longer than 255 bytes or has control characters; "
                + "the service is left out",
            cure: "register the service under another name",
            origin: Origin(file: source.rawValue)
        )
    }
}

/// The first instance of each kind of finding, and how many there were.
private struct Findings {
    enum Kind: Hashable {
        case address(AddressRules.Refusal)
        case name
        case duplicate
        case text
    }

    private var found: [Kind: (first: Instance, count: Int)] = [:]

    mutating func count(_ kind: Kind, _ instance: Instance) {
        self.found[kind, default: (instance, 0)].count += 1
    }

    func diagnostics(of service: ServiceName) -> [Diagnostic] {
        guard !self.found.isEmpty else { return [] }
        return self.found.map { kind, found in
            let more = found.count == 1 ? "" : " (and so for \(found.count - 1) more)"
            let instance = "instance \(found.first.id.rawValue.printable)"
            let (severity, code, message, cure): (Diagnostic.Severity, String, String, String) =
                switch kind {
                case .address(let refusal):
                    (
                        refusal.isOfAgent ? .warning : .error, "SB311",
                        "the address \(found.first.address.printable) port \(found.first.port) of \(instance) "
                            + "\(refusal.words); the instance is left out\(more)",
                        refusal.cure(of: found.first.address, port: found.first.port)
                    )
                case .name:
                    (
                        .error, "SB312",
                        "the ID of \(instance) is empty, too long or has control characters; "
                            + "the instance is left out\(more)",
                        "register the instance under another ID"
                    )
                case .duplicate:
                    (
                        .error, "SB312",
                        "the ID of \(instance) is used twice in the service; only one of them is taken\(more)",
                        "give every instance an ID of its own"
                    )
                case .text:
                    (
                        .warning, "SB312",
                        "tags, meta or places of \(instance) are too many, too long or have control characters; "
                            + "those are left out\(more)",
                        "use at most 512 tags of 4096 bytes and 256 pairs of meta, without control characters"
                    )
                }
            return Diagnostic(
                severity,
                code: code,
                subject: "service/\(service)",
                message: message,
                cure: cure,
                origin: found.first.origin
            )
        }
        .sorted { ($0.code, $0.message) < ($1.code, $1.message) }
    }
}
