"""Resources in Envoy's own words, as mappings: for documents of the kind envoy-resource."""

TYPE = "type.googleapis.com/envoy"
ADS = {"resource_api_version": "V3", "ads": {}}
# A delta stream of its own to Signalbox, as its own route configurations name it.
DELTA = {
    "resource_api_version": "V3", "initial_fetch_timeout": "0.1s",
    "api_config_source": {
        "api_type": "DELTA_GRPC", "transport_api_version": "V3", "set_node_on_first_message_only": True,
        "grpc_services": [{"envoy_grpc": {"cluster_name": "signalbox/xds"}}],
    },
}


def http_filter(name, message, **fields):
    return {"name": name, "typed_config": {"@type": f"{TYPE}.extensions.filters.http.{message}"} | fields}


ROUTER = http_filter("router", "router.v3.Router")


def on_demand(**fields):
    return http_filter("on_demand", "on_demand.v3.OnDemand", **fields)


def other_filter(message, **fields):
    """The configuration of a filter that Signalbox does not know."""
    return {
        "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
        "type_url": f"{TYPE}.extensions.filters.http.{message}", "value": fields,
    }


def listener(name, port, filters=(), tls=None, **manager):
    """With an HTTP connection manager of these fields."""
    http = {
        "@type": f"{TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name, "http_filters": [*filters, ROUTER],
    }
    chain = {"filters": [{"name": "http", "typed_config": http | manager}]}
    if tls:
        chain["transport_socket"] = {
            "name": "tls",
            "typed_config": {"@type": f"{TYPE}.extensions.transport_sockets.tls.v3.DownstreamTlsContext"} | tls,
        }
    return {
        "@type": f"{TYPE}.config.listener.v3.Listener", "name": name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}, "filter_chains": [chain],
    }


def route_configuration(name, *virtual_hosts, resource=True, **fields):
    kind = {"@type": f"{TYPE}.config.route.v3.RouteConfiguration"} if resource else {}
    return kind | {"name": name, "virtual_hosts": list(virtual_hosts)} | fields


def virtual_host(name, *routes, domains=("*",), resource=False, **fields):
    kind = {"@type": f"{TYPE}.config.route.v3.VirtualHost"} if resource else {}
    return kind | {"name": name, "domains": list(domains), "routes": list(routes)} | fields


def to(cluster, prefix="/", **fields):
    return {"match": {"prefix": prefix}, "route": {"cluster": cluster}} | fields


def answer(text, prefix="/", status=200, **match):
    """A route that Envoy answers by itself."""
    return {"match": {"prefix": prefix} | match,
            "direct_response": {"status": status, "body": {"inline_string": text}}}
