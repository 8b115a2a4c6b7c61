// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Knows the token of the moment.
final class TokenStore: Sendable {
    /// How long a token that was read from a file is used without another look.
    private static let interval = Duration.seconds(1)

    private struct State {
        /// Set at run time, by a login: it wins.
        var given: Secret?
        var read: Secret?
        /// Those in use and before, the last ones: an answer may quote the token that its question had.
        var recent: [Secret] = []
        var lastLook: ContinuousClock.Instant?
        /// What the last look found wrong with the file.
        var problem: APIError?
        /// Rises with every other token in the file.
        var generation = 0
    }

    private let source: TokenSource
    private let state = Mutex(State())

    init(_ source: TokenSource) {
        self.source = source
    }

    /// A file that can no longer be read, or is empty while it is replaced, leaves the token that was last read in use.
    func token() throws(APIError) -> Secret? {
        let source = self.source
        let now = ContinuousClock.now
        let result = self.state.withLock { state -> Result<Secret?, APIError> in
            if let given = state.given { return .success(given) }
            switch source {
            case .none: return .success(nil)
            case .value(let value): return .success(value)
            case .file(let path):
                Self.look(at: path, now, &state)
                if let read = state.read { return .success(read) }
                return state.problem.map { .failure($0) } ?? .success(nil)
            }
        }
        return try result.get()
    }

    /// What is wrong with the file while a token that was read from it before stays in use; nil: nothing, or none was read.
    func problem() -> String? {
        guard case .file(let path) = self.source else { return nil }
        let now = ContinuousClock.now
        return self.state.withLock { state in
            guard state.given == nil else { return nil }
            Self.look(at: path, now, &state)
            return state.read == nil ? nil : state.problem?.message
        }
    }

    func give(_ token: Secret?) {
        self.state.withLock { state in
            state.given = token
            if let token { Self.remember(token, &state) }
        }
    }

    /// The tokens that may be under way.
    var recent: [Secret] {
        if case .value(let value) = self.source { return [value] + self.state.withLock(\.recent) }
        return self.state.withLock(\.recent)
    }

    private static func remember(_ token: Secret, _ state: inout State) {
        guard state.recent.last != token else { return }
        state.recent = state.recent.suffix(7).filter { $0 != token } + [token]
    }

    /// Another one than before if there is another token in the file. The next token of a login is for the same identity, and
    /// sees what the last one saw.
    var generation: Int { self.state.withLock(\.generation) }

    /// The token was refused: the next request looks at the file, however recent the last look.
    func refused() {
        self.state.withLock { $0.lastLook = nil }
    }

    /// Looks at the file, unless that was done a moment ago.
    private static func look(at path: String, _ now: ContinuousClock.Instant, _ state: inout State) {
        if state.read != nil, let last = state.lastLook, now - last < Self.interval { return }
        state.lastLook = now
        do throws(APIError) {
            let read = try Self.read(path)
            if state.read != read { state.generation += 1 }
            state.read = read
            Self.remember(read, &state)
            state.problem = nil
        } catch {
            state.problem = error
        }
    }

    private static func read(_ path: String) throws(APIError) -> Secret {
        let bytes: [UInt8]
        do {
            bytes = try SmallFile.read(path)
        } catch {
            throw APIError(.token, "the token file \(path) cannot be read: \(error)")
        }
        let isSpace = { (byte: UInt8) in byte <= 0x20 }
        let text = bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        guard !text.isEmpty else { throw APIError(.token, "the token file \(path) is empty") }
        guard text.allSatisfy({ (0x21...0x7E).contains($0) }), text.count <= 16 * 1024 else {
            throw APIError(.token, "the token file \(path) holds something else than one token")
        }
        return Secret(String(decoding: text, as: UTF8.self))
    }
}
