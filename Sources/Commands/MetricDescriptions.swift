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
        "signalbox_source_up": "Whether the source of services and policy answers and is believed.",
        "signalbox_source_last_success_timestamp_seconds": "When the source last answered with 200.",
        "signalbox_source_requests_total": "Requests to the source by the class of the answer.",
        "signalbox_source_requests_in_flight": "Requests to the source that wait for an answer.",
        "signalbox_source_errors_total": "Answers of the source that are none.",
        "signalbox_source_index_regressions_total": "Answers with a lower index than before.",
        "signalbox_source_searches_total": "Searches for a service that changed without a sign of which.",
        "signalbox_source_resynchronizations_total": "Times that all of a source was read again.",
        "signalbox_source_services": "Services that the source has.",
        "signalbox_source_instances": "Instances that the source has.",
        "signalbox_catalog_held":
            "Services, config entries or documents that are held against the word of their source.",
        "signalbox_catalog_held_instances": "Instances that are in force against the word of their source.",
        "signalbox_catalog_removals_held_total": "Times that a removal was held.",
        "signalbox_catalog_removals_released_total": "Times that what was held was let go.",
        "signalbox_config_last_reload_successful": "Whether the documents were without errors when last read.",
        "signalbox_catalog_store_errors_total": "Writes of the stored catalog that failed.",
        "signalbox_catalog_store_age_seconds":
            "For how long the stored catalog has not been what is in force, because it cannot be written.",
        "signalbox_config_reloads_total": "How often documents were read because something changed.",
    ]
}
