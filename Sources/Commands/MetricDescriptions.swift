// SPDX-License-Identifier: Apache-2.0

/// The help text of every metric, by the name that Prometheus sees. Also listed in docs/metrics.md.
enum MetricDescriptions {
    static let all = [
        "signalbox_build_info": "Always 1; the labels say which build this is.",
        "signalbox_xds_streams": "Open discovery streams.",
        "signalbox_xds_requests_total":
            "Discovery requests: subscribe (answers nothing), ack, nack, or stale (answers an older response).",
        "signalbox_xds_responses_total": "Discovery responses sent.",
        "signalbox_xds_resources_sent_total": "Resources in the discovery responses sent.",
        "signalbox_xds_nack_total": "Responses that a proxy rejected.",
        "signalbox_snapshot_generation": "Rises with every publication; 0 before the first.",
        "signalbox_snapshot_build_seconds": "From a change of the documents to the snapshots that it leads to.",
        "signalbox_diagnostics": "Findings about the documents that are in force now.",
        "signalbox_documents": "Documents in force.",
        "signalbox_source_up": "Whether the source of services and policy can be read.",
        "signalbox_config_last_reload_successful": "Whether the documents were without errors when last read.",
        "signalbox_catalog_store_errors_total": "Writes of the stored catalog that failed.",
        "signalbox_catalog_store_age_seconds":
            "For how long the stored catalog has not been what is in force, because it cannot be written.",
        "signalbox_config_reloads_total": "How often documents were read because something changed.",
    ]
}
