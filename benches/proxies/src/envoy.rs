//! Envoy, without a WAF: one listener, one route, one cluster, one worker. What its defaults add (request ids,
//! statistics) stays.

use crate::peer::{Absent, Launch, Setting, installed};

pub(super) fn prepare(setting: &Setting<'_>) -> Result<Launch, Absent> {
    let program = installed(&[setting.place.peers.join("envoy")])?;
    let place = setting.place;
    let text = format!(
        r#"static_resources:
  listeners:
  - address: {{ socket_address: {{ address: {host}, port_value: {port} }} }}
    filter_chains:
    - transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            alpn_protocols: [h2, http/1.1]
            tls_certificates:
            - certificate_chain: {{ filename: "{certificate}" }}
              private_key: {{ filename: "{key}" }}
      filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          codec_type: AUTO
          stat_prefix: shop
          use_remote_address: true
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{ "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }}
          route_config:
            virtual_hosts:
            - name: shop
              domains: [shop.example]
              routes: [{{ match: {{ prefix: / }}, route: {{ cluster: upstream }} }}]
  clusters:
  - name: upstream
    connect_timeout: 5s
    type: STATIC
    load_assignment:
      cluster_name: upstream
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {{ socket_address: {{ address: {upstream_host}, port_value: {upstream_port} }} }} }}
"#,
        host = setting.listen.ip(),
        port = setting.listen.port(),
        certificate = place.certificate().display(),
        key = place.key().display(),
        upstream_host = place.upstream().ip(),
        upstream_port = place.upstream().port(),
    );
    let file = setting.write("envoy.yaml", &text)?;
    let mut arguments = vec!["--config-path".into(), file.into()];
    let fixed = "--concurrency 1 --disable-hot-restart --log-level error";
    arguments.extend(fixed.split(' ').map(Into::into));
    Ok(Launch {
        program,
        arguments,
        environment: Vec::new(),
    })
}
