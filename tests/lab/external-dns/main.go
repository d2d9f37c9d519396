// One round of external-dns over the zones that a token sees: its registry of TXT records, its planner and its
// Cloudflare provider, as its controller calls them, with a list of endpoints in the place of a cluster.
//
// Reads a request (see `request`) as JSON from standard input; writes the changes that were planned, and carried out
// unless `dryRun` is set, as JSON to standard output. The API is that of CLOUDFLARE_BASE_URL, its token CF_API_TOKEN.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"

	"sigs.k8s.io/external-dns/endpoint"
	"sigs.k8s.io/external-dns/pkg/apis/externaldns"
	"sigs.k8s.io/external-dns/plan"
	"sigs.k8s.io/external-dns/provider"
	"sigs.k8s.io/external-dns/provider/cloudflare"
	"sigs.k8s.io/external-dns/registry/txt"
	"sigs.k8s.io/external-dns/source/annotations"
)

// What the program's flags say, by the flags' names; and what the sources would have found.
type request struct {
	Owner     string `json:"txtOwnerId"`
	Prefix    string `json:"txtPrefix"`
	Suffix    string `json:"txtSuffix"`
	Wildcard  string `json:"txtWildcardReplacement"`
	Policy    string `json:"policy"`
	DryRun    bool   `json:"dryRun"`
	Endpoints []wish `json:"endpoints"`
}

// A record set that should be there.
type wish struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Targets  []string `json:"targets"`
	TTL      int64    `json:"ttl"`
	Proxied  *bool    `json:"proxied"`
	Resource string   `json:"resource"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "external-dns:", err)
		os.Exit(1)
	}
}

func run() error {
	var request request
	input := json.NewDecoder(os.Stdin)
	input.DisallowUnknownFields()
	if err := input.Decode(&request); err != nil {
		return fmt.Errorf("the request: %w", err)
	}
	changes, err := round(context.Background(), request)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(changes)
}

// What controller.RunOnce does.
func round(ctx context.Context, request request) (*plan.Changes, error) {
	policy, ok := plan.Policies[request.Policy]
	if !ok {
		return nil, fmt.Errorf("there is no policy %q", request.Policy)
	}
	config := request.config()
	zones, err := cloudflare.New(ctx, config, endpoint.NewDomainFilter(nil))
	if err != nil {
		return nil, err
	}
	registry, err := txt.New(config, zones)
	if err != nil {
		return nil, err
	}
	records, err := registry.Records(ctx)
	if err != nil {
		return nil, err
	}
	desired, err := registry.AdjustEndpoints(request.desired())
	if err != nil {
		return nil, err
	}
	calculated := (&plan.Plan{
		Policies:       []plan.Policy{policy},
		Current:        records,
		Desired:        desired,
		DomainFilter:   endpoint.MatchAllDomainFilters{registry.GetDomainFilter()},
		ManagedRecords: config.ManagedDNSRecordTypes,
		OwnerID:        registry.OwnerID(),
	}).Calculate()
	planned := *calculated.Changes
	if request.DryRun || !planned.HasChanges() {
		return &planned, nil
	}
	err = registry.ApplyChanges(ctx, calculated.Changes)
	if errors.Is(err, provider.SoftError) {
		// What the API refuses holds up neither the rest nor the next round.
		fmt.Fprintln(os.Stderr, "external-dns:", err)
		err = nil
	}
	return &planned, err
}

// The defaults of the program's flags, as far as they matter here.
func (request request) config() *externaldns.Config {
	config := externaldns.NewConfig()
	config.TXTOwnerID = request.Owner
	config.TXTPrefix = request.Prefix
	config.TXTSuffix = request.Suffix
	config.TXTWildcardReplacement = request.Wildcard
	config.ManagedDNSRecordTypes = []string{endpoint.RecordTypeA, endpoint.RecordTypeAAAA, endpoint.RecordTypeCNAME}
	config.CloudflareDNSRecordsPerPage = 100
	config.BatchChangeSize = 200
	return config
}

func (request request) desired() []*endpoint.Endpoint {
	desired := make([]*endpoint.Endpoint, 0, len(request.Endpoints))
	for _, wish := range request.Endpoints {
		found := endpoint.NewEndpointWithTTL(wish.Name, wish.Type, endpoint.TTL(wish.TTL), wish.Targets...)
		// A name that cannot be: external-dns' own sources pass it over as well.
		if found == nil {
			continue
		}
		found.Labels[endpoint.ResourceLabelKey] = wish.Resource
		if wish.Proxied != nil {
			found.SetProviderSpecificProperty(annotations.CloudflareProxiedKey, strconv.FormatBool(*wish.Proxied))
		}
		desired = append(desired, found)
	}
	return desired
}
