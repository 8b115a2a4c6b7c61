// SPDX-License-Identifier: Apache-2.0

import NIOSSL
import Synchronization

/// Knows the certificates of the moment: short-lived ones are replaced on disk while we run.
final class TLSStore: Sendable {
    /// How long files are used without another look. They matter to new connections only.
    private static let interval = Duration.seconds(4)
    /// The same of files that cannot be used: they may have been looked at while they were written.
    private static let intervalOfBroken = Duration.seconds(1)

    private struct State {
        /// Nothing is read while it stays the same; nil: whatever it is.
        var signature: [SmallFile.Signature?]?
        /// Configurations are only made anew if this differs, as each has its own pool of connections.
        var material: TLSMaterial?
        var configuration: TLSConfiguration?
        var lastLook: ContinuousClock.Instant?
        /// What the last look found wrong with the files.
        var problem: APIError?
    }

    private let options: TLSOptions
    private let state = Mutex(State())

    init(_ options: TLSOptions) {
        self.options = options
    }

    /// Files that can no longer be used leave what was last read in use.
    func configuration() throws(APIError) -> TLSConfiguration {
        try self.state.withLock { self.look(&$0) }.get()
    }

    /// What is wrong with the files while what was last read from them stays in use; nil: nothing, or nothing was read yet.
    func problem() -> String? {
        self.state.withLock { state in
            guard state.configuration != nil else { return nil }
            _ = self.look(&state)
            return state.problem?.message
        }
    }

    /// A handshake failed: the next request reads the files, however recent the last look.
    func refused() {
        self.state.withLock { ($0.lastLook, $0.signature) = (nil, nil) }
    }

    /// At the files, unless that was done a moment ago.
    private func look(_ state: inout State) -> Result<TLSConfiguration, APIError> {
        let now = ContinuousClock.now
        let interval = state.problem == nil ? Self.interval : Self.intervalOfBroken
        if let configuration = state.configuration, let last = state.lastLook, now - last < interval {
            return .success(configuration)
        }
        state.lastLook = now
        do throws(APIError) {
            return .success(try self.read(&state))
        } catch {
            state.problem = error
            return state.configuration.map { .success($0) } ?? .failure(error)
        }
    }

    private func read(_ state: inout State) throws(APIError) -> TLSConfiguration {
        let signature = try TLSMaterial.paths(self.options).map(SmallFile.signature(of:))
        if let configuration = state.configuration, signature == state.signature {
            if let problem = state.problem { throw problem }
            return configuration
        }
        state.signature = signature
        let material = try TLSMaterial(self.options)
        if let configuration = state.configuration, material == state.material {
            state.problem = nil
            return configuration
        }
        let configuration = try material.configuration(self.options)
        (state.material, state.configuration, state.problem) = (material, configuration, nil)
        return configuration
    }
}
