// SPDX-License-Identifier: Apache-2.0

import Routing

/// Edits to the headers of a request or a response.
enum HeaderFormats {
    static let modifier = Format<HeaderModifier>.object(
        Field("set", .list(of: header), "Overwrites these headers."),
        Field("add", .list(of: header), "Appends to these headers."),
        Field("remove", .list(of: .editableHeaderName), "Removes these headers.")
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
