// SPDX-License-Identifier: Apache-2.0

/// The ID under which Nomad registers a service of an allocation, in Consul and in its own discovery:
/// `_nomad-task-<allocation>-<task, or group- and the group>-<service>-<port label>`, and with `-sidecar-proxy` after it
/// that of the service's proxy. Of these parts only the allocation can be told from the others for certain.
///
/// Agents register themselves under `_nomad-server-` and `_nomad-client-`: those are none.
/// See https://github.com/hashicorp/nomad/blob/main/command/agent/consul/service_client.go
package struct TaskRegistrationID: Hashable, Sendable {
    private static let prefix = "_nomad-task-"
    private static let dashes = [8, 13, 18, 23]

    /// A UUID in lower case.
    package let allocation: String

    /// Nil if it is another's, or from before Nomad 0.9, whose IDs name no allocation.
    ///
    /// - Parameter text: the ID of a registration, or of an instance: that may have the datacenter and a slash before it.
    package init?(_ text: String) {
        guard text.utf8.count <= 1024 else { return nil }
        var id = text[...]
        if !id.hasPrefix(Self.prefix), let slash = id.utf8.firstIndex(of: UInt8(ascii: "/")) {
            id = id[id.utf8.index(after: slash)...]
        }
        guard id.hasPrefix(Self.prefix) else { return nil }
        let rest = id.utf8.dropFirst(Self.prefix.utf8.count)
        guard let allocation = Self.uuid(rest.prefix(36)), rest.dropFirst(36).first == UInt8(ascii: "-") else {
            return nil
        }
        self.allocation = allocation
    }

    /// In lower case; nil if it is none.
    package static func uuid(_ text: some Collection<UInt8>) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(36)
        for byte in text {
            switch byte {
            case UInt8(ascii: "-") where Self.dashes.contains(bytes.count): bytes.append(byte)
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                UInt8(ascii: "A")...UInt8(ascii: "F"):
                guard bytes.count < 36, !Self.dashes.contains(bytes.count) else { return nil }
                bytes.append(byte | 0x20)
            default: return nil
            }
        }
        return bytes.count == 36 ? String(decoding: bytes, as: UTF8.self) : nil
    }
}
