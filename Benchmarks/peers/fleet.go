// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	router "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

// The synthetic fleet: what every proxy is given. Resources are never changed, only replaced.
type fleet struct {
	services, endpoints int
	clusters            []types.Resource
	assignments         []types.Resource
	listener            types.Resource
	routes              types.Resource
	flipped             map[int]bool
}

const routesName = "routes"

func newFleet(services, endpoints int) *fleet {
	f := &fleet{services: services, endpoints: endpoints, flipped: map[int]bool{}}
	hosts := make([]*route.VirtualHost, services)
	for service := range services {
		f.clusters = append(f.clusters, newCluster(serviceName(service)))
		f.assignments = append(f.assignments, f.assignment(service))
		hosts[service] = newVirtualHost(serviceName(service))
	}
	f.listener = newListener()
	f.routes = &route.RouteConfiguration{Name: routesName, VirtualHosts: hosts}
	return f
}

// Moves the first endpoint of a service between two ports and returns the service's new assignment.
func (f *fleet) flip(service int) types.Resource {
	f.flipped[service] = !f.flipped[service]
	f.assignments[service] = f.assignment(service)
	return f.assignments[service]
}

func serviceName(service int) string { return fmt.Sprintf("service-%05d", service) }

func (f *fleet) assignment(service int) *endpoint.ClusterLoadAssignment {
	members := make([]*endpoint.LbEndpoint, f.endpoints)
	for i := range members {
		n := service*f.endpoints + i
		port := uint32(8080)
		if i == 0 && f.flipped[service] {
			port = 8081
		}
		address := socketAddress(fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255), port)
		members[i] = &endpoint.LbEndpoint{
			HostIdentifier: &endpoint.LbEndpoint_Endpoint{Endpoint: &endpoint.Endpoint{Address: address}},
		}
	}
	return &endpoint.ClusterLoadAssignment{
		ClusterName: serviceName(service),
		Endpoints:   []*endpoint.LocalityLbEndpoints{{LbEndpoints: members}},
	}
}

func newCluster(name string) *cluster.Cluster {
	return &cluster.Cluster{
		Name:                 name,
		ClusterDiscoveryType: &cluster.Cluster_Type{Type: cluster.Cluster_EDS},
		EdsClusterConfig:     &cluster.Cluster_EdsClusterConfig{EdsConfig: ads()},
		ConnectTimeout:       durationpb.New(time.Second),
		LbPolicy:             cluster.Cluster_ROUND_ROBIN,
	}
}

func newVirtualHost(name string) *route.VirtualHost {
	return &route.VirtualHost{
		Name:    name,
		Domains: []string{name + ".example.com"},
		Routes: []*route.Route{{
			Match: &route.RouteMatch{PathSpecifier: &route.RouteMatch_Prefix{Prefix: "/"}},
			Action: &route.Route_Route{
				Route: &route.RouteAction{ClusterSpecifier: &route.RouteAction_Cluster{Cluster: name}},
			},
		}},
	}
}

func newListener() *listener.Listener {
	manager := &hcm.HttpConnectionManager{
		StatPrefix: "http",
		RouteSpecifier: &hcm.HttpConnectionManager_Rds{
			Rds: &hcm.Rds{ConfigSource: ads(), RouteConfigName: routesName},
		},
		HttpFilters: []*hcm.HttpFilter{{
			Name:       "envoy.filters.http.router",
			ConfigType: &hcm.HttpFilter_TypedConfig{TypedConfig: packed(&router.Router{})},
		}},
	}
	return &listener.Listener{
		Name:    "listener",
		Address: socketAddress("0.0.0.0", 10000),
		FilterChains: []*listener.FilterChain{{
			Filters: []*listener.Filter{{
				Name:       "envoy.filters.network.http_connection_manager",
				ConfigType: &listener.Filter_TypedConfig{TypedConfig: packed(manager)},
			}},
		}},
	}
}

func ads() *core.ConfigSource {
	return &core.ConfigSource{
		ResourceApiVersion:    core.ApiVersion_V3,
		ConfigSourceSpecifier: &core.ConfigSource_Ads{Ads: &core.AggregatedConfigSource{}},
	}
}

func socketAddress(address string, port uint32) *core.Address {
	return &core.Address{Address: &core.Address_SocketAddress{SocketAddress: &core.SocketAddress{
		Address:       address,
		PortSpecifier: &core.SocketAddress_PortValue{PortValue: port},
	}}}
}

func packed(message proto.Message) *anypb.Any {
	packed, err := anypb.New(message)
	if err != nil {
		panic(err)
	}
	return packed
}
