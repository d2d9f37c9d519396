//! What the tests share: the CRS corpus, an edge on real sockets with upstreams that remember and clients that are
//! polite or hostile, a fake of the Cloudflare API with its name servers, a CA, and a reader of the product's own
//! sources.

pub mod cloudflare;
pub mod corpus;
pub mod differential;
pub mod external_dns;
pub mod harness;
pub mod hostile;
pub mod pebble;
pub mod sources;
