// SPDX-License-Identifier: Apache-2.0

//go:debug default=go1.27

// An xDS server on go-control-plane that serves the same synthetic fleet as `signalbox bench serve`: see README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"strconv"
	"time"

	clusterservice "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	discoveryservice "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	endpointservice "github.com/envoyproxy/go-control-plane/envoy/service/endpoint/v3"
	listenerservice "github.com/envoyproxy/go-control-plane/envoy/service/listener/v3"
	routeservice "github.com/envoyproxy/go-control-plane/envoy/service/route/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/sotw/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("go-control-plane: ")

	variant := flag.String("variant", "linear", "snapshot, snapshot-shared or linear")
	services := flag.Int("services", 1000, "number of services")
	endpoints := flag.Int("endpoints", 10, "endpoints of each service")
	address := flag.String("addr", "127.0.0.1:18000", "HOST:PORT of xDS")
	adminAddress := flag.String("admin", "127.0.0.1:18001", "HOST:PORT of POST /touch?service=K and GET /healthz")
	flag.Parse()
	if flag.NArg() > 0 || *services < 1 || *services > 100_000 || *endpoints < 1 || *services**endpoints > 1<<24 {
		log.Fatal("usage: --variant V --services M (1 to 100000) --endpoints E (M*E up to 16777216) --addr A --admin B")
	}

	peer, err := newPeer(*variant, newFleet(*services, *endpoints))
	if err != nil {
		log.Fatal(err)
	}

	xds, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	admin, err := net.Listen("tcp", *adminAddress)
	if err != nil {
		log.Fatal(err)
	}

	go func() { log.Fatal(http.Serve(admin, adminHandler(peer, *services))) }()
	fmt.Println("ready")
	log.Fatal(grpcServer(peer).Serve(xds))
}

// The options of go-control-plane's own example server, with two differences: clients may ping every 5 s, and a delta
// reconnect that names everything it has may be larger than 4 MiB.
func grpcServer(peer peer) *grpc.Server {
	grpcServer := grpc.NewServer(
		grpc.MaxConcurrentStreams(1_000_000),
		grpc.MaxRecvMsgSize(64<<20),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 5 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
	)
	// The order of types on an aggregated stream, as Signalbox keeps it; delta has no such option.
	xds := server.NewServer(context.Background(), peer.cache(), peer.callbacks(), sotw.WithOrderedADS())
	discoveryservice.RegisterAggregatedDiscoveryServiceServer(grpcServer, xds)
	clusterservice.RegisterClusterDiscoveryServiceServer(grpcServer, xds)
	endpointservice.RegisterEndpointDiscoveryServiceServer(grpcServer, xds)
	listenerservice.RegisterListenerDiscoveryServiceServer(grpcServer, xds)
	routeservice.RegisterRouteDiscoveryServiceServer(grpcServer, xds)
	return grpcServer
}

func adminHandler(peer peer, services int) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("POST /touch", func(w http.ResponseWriter, r *http.Request) {
		service, err := strconv.Atoi(r.URL.Query().Get("service"))
		if err != nil || service < 0 || service >= services {
			http.Error(w, fmt.Sprintf("service must be 0 to %d", services-1), http.StatusBadRequest)
			return
		}
		if err := peer.touch(service); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	return mux
}
