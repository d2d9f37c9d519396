// go-coraza: what an application in Go would do. net/http/httputil's reverse proxy behind TLS, with Coraza's own
// http middleware around it when -directives names files. The benchmarks start it as a peer.
package main

import (
	"crypto/tls"
	"flag"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/corazawaf/coraza/v3"
	corazahttp "github.com/corazawaf/coraza/v3/http"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8443", "address of the TLS listener")
	upstream := flag.String("upstream", "http://127.0.0.1:8000", "where requests go")
	certificate := flag.String("certificate", "", "PEM file")
	key := flag.String("key", "", "PEM file")
	directives := flag.String("directives", "", "file of SecLang directives; empty for no WAF")
	flag.Parse()

	target, err := url.Parse(*upstream)
	must(err)
	handler := http.Handler(proxyTo(target))
	if *directives != "" {
		waf, err := coraza.NewWAF(coraza.NewWAFConfig().WithDirectivesFromFile(*directives))
		must(err)
		handler = corazahttp.WrapHandler(waf, handler)
	}
	server := &http.Server{
		Addr:      *listen,
		Handler:   handler,
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	must(server.ListenAndServeTLS(*certificate, *key))
}

func proxyTo(target *url.URL) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(target)
			request.Out.Host = request.In.Host
			request.SetXForwarded()
		},
		// The default keeps two idle connections to a host: a new one for most requests of a loaded proxy.
		Transport: &http.Transport{
			MaxIdleConns:        1024,
			MaxIdleConnsPerHost: 1024,
			IdleConnTimeout:     time.Minute,
			DisableCompression:  true,
		},
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
