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
        var findings = Findings()
        var admitted: [Instance] = []
        var isSame = true
        var last: InstanceID?
        for instance in service.instances {
            // They are in the order of their IDs.
            guard last != instance.id else {
                findings.count(.duplicate, instance)
                continue
            }
            last = instance.id
            guard self.texts.isName(instance.id.rawValue, limit: self.texts.instanceID) else {
                findings.count(.name, instance)
                continue
            }
            if let refusal = self.addresses.refusal(of: instance.address, port: instance.port) {
                findings.count(.address(refusal), instance)
                continue
            }
            let (cleaned, leftOut) = self.texts.cleaned(instance)
            if leftOut > 0 {
                findings.count(.text, instance)
                isSame = false
            }
            admitted.append(cleaned)
        }
        isSame = isSame && admitted.count == service.instances.count
        return (
            isSame ? service : Service(name: service.name, instances: admitted, origin: service.origin),
            findings.diagnostics(of: service.name)
        )
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
                        .error, "SB311",
                        "the address \(found.first.address.printable) port \(found.first.port) of \(instance) "
                            + "\(refusal.words); the instance is left out\(more)",
                        refusal.cure
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
