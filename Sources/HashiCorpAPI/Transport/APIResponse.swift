// SPDX-License-Identifier: Apache-2.0

package import NIOCore
import NIOHTTP1

/// What an agent answered, whatever the status.
package struct APIResponse: Sendable {
    package var status: Int
    /// Of the state that the body shows, for the next blocking query (`X-Consul-Index`, `X-Nomad-Index`). Some are hashes
    /// and need all 64 bits.
    package var index: UInt64?
    /// False: it answers from what a server without a leader remembers.
    package var knownLeader: Bool?
    /// Where the next page starts; nil: this was the last (`X-Nomad-NextToken`).
    package var nextToken: String?
    /// Whether something was left out that the token may not read (`X-Consul-Results-Filtered-By-ACLs`); older servers
    /// never say so.
    package var isFiltered: Bool
    package var contentType: String?
    package var body: ByteBuffer
    /// Of whoever asked: what must not be shown of the body.
    var mask = SecretMask()

    package init(
        status: Int,
        index: UInt64? = nil,
        knownLeader: Bool? = nil,
        nextToken: String? = nil,
        isFiltered: Bool = false,
        contentType: String? = nil,
        body: ByteBuffer = ByteBuffer()
    ) {
        self.status = status
        self.index = index
        self.knownLeader = knownLeader
        self.nextToken = nextToken
        self.isFiltered = isFiltered
        self.contentType = contentType
        self.body = body
    }

    /// The start of the body as one line for an operator, without secrets: agents explain errors in plain text.
    package var explanation: String {
        // More than is shown: what is blanked must be whole.
        APIError.printable(self.mask.blanked(self.body.readableBytesView.prefix(Self.explanationBytes)))
    }

    /// Of a body, what is looked at for an explanation.
    static let explanationBytes = 4096
}

extension APIResponse {
    init(_ product: APIConfiguration.Product, status: Int, headers: HTTPHeaders, body: ByteBuffer) {
        let prefix =
            switch product {
            case .consul: "X-Consul-"
            case .nomad: "X-Nomad-"
            }
        func header(_ name: String) -> String? {
            guard let value = headers.first(name: prefix + name), !value.isEmpty else { return nil }
            return value
        }
        self.init(
            status: status,
            index: header("Index").flatMap { UInt64($0) },
            knownLeader: header("KnownLeader").flatMap { Bool($0) },
            nextToken: header("NextToken"),
            isFiltered: header("Results-Filtered-By-ACLs").flatMap { Bool($0) } ?? false,
            contentType: headers.first(name: "Content-Type"),
            body: body
        )
    }
}
