#!/usr/bin/env bash
# Printed by `make run` before the edge starts.
cat <<'TEXT'

==> starting the edge; stop it with Ctrl-C. Try, in another terminal:

    # passes: the built-in echo answers 200 with what it received
    curl -k 'https://app.localhost:8443/hello?name=world'

    # blocked: an SQL injection, 403 with an incident id
    curl -k "https://app.localhost:8443/?id=1'%20OR%20'1'='1"

    # redirected: 301 to https
    curl -i 'http://app.localhost:8080/hello?name=world'

    access log: this terminal      audit log: data/audit.log
    why was it blocked:  target/release/palisade incident --config config/quickstart.toml ID
    metrics and health:  http://127.0.0.1:9180/metrics  /healthz  /readyz

TEXT
