// SPDX-License-Identifier: Apache-2.0

extension StreamStateMachine {
    /// How long a push waits for a client to ask for the endpoints of a cluster that it was sent.
    static let endpointsDeadline = Duration.seconds(2)
    /// How long a push waits for the answers to what goes before it. Removals wait for ever.
    static let orderDeadline = Duration.seconds(2)
    /// How long what a client asks for waits for its answer to the response before.
    static let answerDeadline = Duration.milliseconds(500)
    /// How long what a refused removal may lead to stays. So long Envoy drains a listener that goes.
    /// See https://www.envoyproxy.io/docs/envoy/v1.40.0/operations/cli#cmdoption-drain-time-s
    static let refusedRemovalDeadline = Duration.seconds(600)
    /// How long a changed route configuration may take on another stream until its virtual hosts are sent again.
    static let routeConfigurationDelay = Duration.milliseconds(500)

    /// What to do when a time has passed, by the number that was given out for it.
    struct Deadlines: Sendable {
        enum Deadline: Sendable {
            /// Go on without the endpoints that a push waits for.
            case endpoints
            /// Go on without the answers that a push waits for, of those that are still the same.
            case order([TypeURL: Nonce])
            /// Answer what was asked for, though the client has not answered the response of this nonce.
            case answer(TypeURL, Nonce)
            /// Do not keep any longer what these removals of the type, which were refused, may lead to.
            case refusedRemovals(TypeURL, batch: Int)
            /// Tell the client of what expires.
            case heartbeat
            /// The route configurations have arrived on their own stream: send their virtual hosts again.
            case virtualHosts(Set<ResourceName>)
        }

        private var pending: [Int: Deadline] = [:]
        private var given = 0

        mutating func wake(for deadline: Deadline, after duration: Duration, _ actions: inout [Action]) -> Int {
            self.given += 1
            self.pending[self.given] = deadline
            actions.append(.wake(self.given, after: duration))
            return self.given
        }

        /// Nil: none of ours.
        mutating func take(_ number: Int) -> Deadline? { self.pending.removeValue(forKey: number) }
    }
}
