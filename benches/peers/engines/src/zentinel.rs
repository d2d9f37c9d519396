//! zentinel-modsec, a crate.

use palisade_bench_engine::inspect;
use palisade_bench_engine::requests::Request;
use zentinel_modsec::ModSecurity;

use crate::engine::{Crs, Engine};

pub struct Zentinel(ModSecurity);

impl Zentinel {
    pub fn load(crs: &Crs) -> Result<Self, String> {
        let engine = ModSecurity::from_string(&crs.directives("")?);
        engine.map(Self).map_err(|error| error.to_string())
    }

    fn run(&self, request: &Request) -> zentinel_modsec::Result<bool> {
        let mut transaction = self.0.new_transaction();
        transaction.set_client_addr("192.0.2.1", 50_000);
        transaction.set_server_addr("192.0.2.2", 443);
        transaction.process_uri(request.uri, request.method, "HTTP/1.1")?;
        for (name, value) in &request.headers {
            transaction.add_request_header(name, value)?;
        }
        transaction.process_request_headers()?;
        transaction.append_request_body(&request.body)?;
        transaction.process_request_body()?;
        for (name, value) in inspect::ANSWER {
            transaction.add_response_header(name, value)?;
        }
        transaction.process_response_headers()?;
        transaction.process_logging()?;
        Ok(transaction.has_intervention())
    }
}

impl Engine for Zentinel {
    fn name(&self) -> &'static str {
        "zentinel"
    }

    fn stops(&self, request: &Request) -> Result<bool, String> {
        self.run(request).map_err(|error| error.to_string())
    }
}
