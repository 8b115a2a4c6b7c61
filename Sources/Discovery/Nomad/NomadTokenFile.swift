// SPDX-License-Identifier: Apache-2.0

import Glibc
import HashiCorpAPI

/// The file of a token. Where events tell what changes, nothing is asked for minutes, and so nobody would look at it.
struct NomadTokenFile: Sendable {
    private static let interval = Duration.seconds(2)
    /// For so long a client uses what it has read.
    private static let memory = Duration.seconds(1)

    private let path: String

    /// Nil: the token is not in a file.
    init?(of agent: APIConfiguration) {
        guard case .file(let path) = agent.token else { return nil }
        self.path = path
    }

    /// Until the task is cancelled.
    ///
    /// - Parameter replaced: is called when the file is another one, and whoever asks now uses what is in it.
    func watch(_ replaced: () async -> Void) async {
        var last = self.signature
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            let next = self.signature
            // While it is replaced there may be none.
            guard next != nil, next != last else { continue }
            last = next
            try? await Task.sleep(for: Self.memory)
            await replaced()
        }
    }

    private var signature: FileSignature? {
        var status = stat()
        return stat(self.path, &status) == 0 ? FileSignature(status) : nil
    }
}
