// SPDX-License-Identifier: Apache-2.0

import Catalog

// allowed: shows how an exception is written
final class Guarded: @unchecked Sendable {}
