// SPDX-License-Identifier: Apache-2.0

import Routing

/// Edits to the headers of a request or a response.
enum HeaderFormats {
    /// A proxy refuses a message with more headers than this unless it is told otherwise, and an edit of over 1,000.
    private static let maximumEdits = 100

    static let modifier = Format<HeaderModifier>.object(
        Field("set", .list(of: header, atMost: maximumEdits), "Overwrites these headers."),
        Field("add", .list(of: header, atMost: maximumEdits), "Appends to these headers."),
        Field("remove", .list(of: .editableHeaderName, atMost: maximumEdits), "Removes these headers.")
    ) { _, _, set, add, remove in
        HeaderModifier(set: set ?? [], add: add ?? [], remove: remove ?? [])
    }

    private static let header = Format<HeaderModifier.Header>.object(
        Field("name", .editableHeaderName, .required, "The name of the header."),
        Field("value", .headerValue, .required, "The value of the header.")
    ) { _, _, name, value in
        guard let name, let value else { return nil }
        return HeaderModifier.Header(name: name, value: value)
    }
}
