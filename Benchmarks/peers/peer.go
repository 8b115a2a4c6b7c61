// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"sync"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
)

// One way to use go-control-plane.
type peer interface {
	cache() cache.Cache
	callbacks() server.Callbacks
	// Flips an endpoint of a service; returns when the cache has the change.
	touch(service int) error
}

func newPeer(variant string, fleet *fleet) (peer, error) {
	switch variant {
	case "snapshot":
		return newSnapshots(fleet, cache.IDHash{})
	case "snapshot-shared":
		return newSnapshots(fleet, oneGroup{})
	case "linear":
		return newLinear(fleet), nil
	}
	return nil, fmt.Errorf("unknown variant %q: snapshot, snapshot-shared or linear", variant)
}

// A SnapshotCache, with a snapshot for each node or one for all.
type snapshots struct {
	snapshotCache cache.SnapshotCache
	hash          cache.NodeHash
	// The groups that have a snapshot, to be looked at without the lock.
	known sync.Map

	// Guards what is below, and that no group misses a change.
	lock  sync.Mutex
	fleet *fleet
	// What the snapshots of all groups hold. Each type has a version of its own, or a changed endpoint would send all
	// clusters and routes again. A map in it is never changed, because snapshots share it.
	resources [types.UnknownType]cache.Resources
	changes   int
}

// The node hash of the shared snapshot.
type oneGroup struct{}

func (oneGroup) ID(*core.Node) string { return "all" }

func newSnapshots(fleet *fleet, hash cache.NodeHash) (*snapshots, error) {
	// ads: true answers in the order of types, and state of the world only once all names are asked for, as Envoy does.
	s := &snapshots{snapshotCache: cache.NewSnapshotCache(true, hash, nil), hash: hash, fleet: fleet}
	first, err := cache.NewSnapshot("0", map[resource.Type][]types.Resource{
		resource.ClusterType:  fleet.clusters,
		resource.EndpointType: fleet.assignments,
		resource.ListenerType: {fleet.listener},
		resource.RouteType:    {fleet.routes},
	})
	if err != nil {
		return nil, err
	}
	s.resources = first.Resources
	return s, first.Consistent()
}

func (s *snapshots) cache() cache.Cache { return s.snapshotCache }

func (s *snapshots) callbacks() server.Callbacks {
	return server.CallbackFuncs{
		StreamRequestFunc:      func(_ int64, r *discovery.DiscoveryRequest) error { return s.learn(r.GetNode()) },
		StreamDeltaRequestFunc: func(_ int64, r *discovery.DeltaDiscoveryRequest) error { return s.learn(r.GetNode()) },
	}
}

// Gives a node's group its snapshot if it has none yet. Only the first request of a stream need name the node.
func (s *snapshots) learn(node *core.Node) error {
	if node == nil {
		return nil
	}
	group := s.hash.ID(node)
	if _, known := s.known.Load(group); known {
		return nil
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if _, known := s.known.LoadOrStore(group, nil); known {
		return nil
	}
	return s.set(group)
}

func (s *snapshots) touch(service int) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.changes++
	items := maps.Clone(s.resources[types.Endpoint].Items)
	items[serviceName(service)] = types.ResourceWithTTL{Resource: s.fleet.flip(service)}
	s.resources[types.Endpoint] = cache.Resources{Version: strconv.Itoa(s.changes), Items: items}

	var err error
	s.known.Range(func(group, _ any) bool {
		err = s.set(group.(string))
		return err == nil
	})
	return err
}

func (s *snapshots) set(group string) error {
	return s.snapshotCache.SetSnapshot(context.Background(), group, &cache.Snapshot{Resources: s.resources})
}

// A LinearCache for each type, behind a MuxCache: all nodes see the same resources.
type linear struct {
	mux         *cache.MuxCache
	assignments *cache.LinearCache

	// Guards the fleet.
	lock  sync.Mutex
	fleet *fleet
}

func newLinear(fleet *fleet) *linear {
	caches := map[string]cache.Cache{}
	add := func(typeURL string, resources ...types.Resource) *cache.LinearCache {
		named := make(map[string]types.Resource, len(resources))
		for _, resource := range resources {
			named[cache.GetResourceName(resource)] = resource
		}
		added := cache.NewLinearCache(typeURL, cache.WithInitialResources(named))
		caches[typeURL] = added
		return added
	}
	add(resource.ClusterType, fleet.clusters...)
	add(resource.ListenerType, fleet.listener)
	add(resource.RouteType, fleet.routes)
	// Empty, because MuxCache ends the stream that asks for a type it has no cache of.
	add(resource.SecretType)
	add(resource.RuntimeType)
	add(resource.ExtensionConfigType)
	add(resource.ScopedRouteType)
	add(resource.VirtualHostType)
	return &linear{
		assignments: add(resource.EndpointType, fleet.assignments...),
		fleet:       fleet,
		mux: &cache.MuxCache{
			Classify:      func(r *cache.Request) string { return r.GetTypeUrl() },
			ClassifyDelta: func(r *cache.DeltaRequest) string { return r.GetTypeUrl() },
			Caches:        caches,
		},
	}
}

func (l *linear) cache() cache.Cache { return l.mux }

func (l *linear) callbacks() server.Callbacks { return server.CallbackFuncs{} }

func (l *linear) touch(service int) error {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.assignments.UpdateResource(serviceName(service), l.fleet.flip(service))
}
