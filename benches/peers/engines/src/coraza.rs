//! Coraza, written in Go, through the crate `coraza` (libcoraza).

use coraza::{Error, Waf, WafConfig};
use palisade_bench_engine::inspect;
use palisade_bench_engine::requests::Request;

use crate::engine::{Crs, Engine};

/// The edge's limit of bodies; the default refuses what the benchmark sends.
const OWN: &str = "SecRequestBodyLimit 13107200\nSecAuditEngine Off\n";

pub struct Coraza(Waf);

impl Coraza {
    pub fn load(crs: &Crs) -> Result<Self, String> {
        let config = WafConfig::new().map_err(|error| error.to_string())?;
        let waf = config.with_directives(&crs.directives(OWN)?).build();
        waf.map(Self).map_err(|error| error.to_string())
    }

    fn run(&self, request: &Request) -> Result<bool, Error> {
        let mut transaction = self.0.new_transaction();
        transaction.process_connection("192.0.2.1", 50_000, "192.0.2.2", 443)?;
        transaction.process_uri(request.uri, request.method, "HTTP/1.1")?;
        let headers: Vec<(&str, &str)> =
            request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        transaction.add_request_headers(&headers);
        passed(transaction.process_request_headers())?;
        if !request.body.is_empty() {
            passed(transaction.append_request_body(&request.body))?;
        }
        passed(transaction.process_request_body())?;
        transaction.add_response_headers(&inspect::ANSWER);
        passed(transaction.process_response_headers(200, "HTTP/1.1"))?;
        transaction.process_logging();
        Ok(transaction.intervention().is_some())
    }
}

impl Engine for Coraza {
    fn name(&self) -> &'static str {
        "coraza"
    }

    fn stops(&self, request: &Request) -> Result<bool, String> {
        self.run(request).map_err(|error| error.to_string())
    }
}

/// A verdict is no failure: it is asked for at the end.
fn passed(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(Error::Intervention { .. }) => Ok(()),
        other => other,
    }
}
