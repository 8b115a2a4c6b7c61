// SPDX-License-Identifier: Apache-2.0

import Routing
import SwiftProtobuf

/// A message that somebody wrote. Equal if it was written equally.
struct RawContent: Sendable {
    let kind: TranslatedResource.Kind
    let message: any Message
    let json: String
    /// The name of its document.
    let document: String
    /// What it names of what we would have to serve.
    let references: Set<ResourceReference>
}

extension RawContent: Equatable {
    static func == (left: RawContent, right: RawContent) -> Bool {
        left.kind == right.kind && left.json == right.json
    }
}

extension TranslatedResource {
    /// What the document holds, or why it cannot be passed on.
    static func make(_ raw: RawResource) -> Result<TranslatedResource, RawResourceFailure> {
        EnvoyTypes.register()
        do {
            let any = try Google_Protobuf_Any(jsonUTF8Bytes: Array(raw.json.utf8))
            guard let type = EnvoyTypes.resources.first(where: { any.isA($0) }) else {
                throw RawResourceFailure("'@type' is '\(any.typeURL)'")
            }
            let message = try self.normalized(any, as: type)
            guard !message.resourceName.isEmpty else { throw RawResourceFailure("the resource has no name") }
            return .success(
                TranslatedResource(
                    name: message.resourceName,
                    content: .raw(
                        RawContent(
                            kind: type.resourceKind,
                            message: message,
                            json: raw.json,
                            document: raw.name,
                            references: message.references
                        )
                    ),
                    origins: [raw.origin],
                    timeToLive: raw.timeToLive
                )
            )
        } catch let failure as RawResourceFailure {
            return .failure(failure)
        } catch {
            return .failure(RawResourceFailure("\(error)"))
        }
    }

    /// Through its binary form: what stands in an `Any` inside stays JSON until then, readable or not.
    private static func normalized<M: ResourceMessage>(_ any: Google_Protobuf_Any, as type: M.Type) throws -> M {
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        let bytes: [UInt8] = try M(unpackingAny: any).serializedBytes(options: options)
        return try M(serializedBytes: bytes)
    }
}

struct RawResourceFailure: Error, Equatable {
    var reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}
