//! libmodsecurity 3, written in C++, through its C API. The only unsafe code: the declarations of
//! `modsecurity/{modsecurity,rules_set,transaction,intervention}.h` and the calls of them.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_uchar, c_void};
use std::ptr::{null, null_mut};

use palisade_bench_engine::inspect;
use palisade_bench_engine::requests::Request;

use crate::engine::{Crs, Engine};

/// The edge's limit of bodies; the defaults refuse what the benchmark sends.
const OWN: &str = "SecRequestBodyLimit 13107200\nSecRequestBodyNoFilesLimit 13107200\nSecAuditEngine Off\n";

/// Both live as long as the process: the benchmark loads once.
pub struct LibModSecurity {
    library: *mut c_void,
    rules: *mut c_void,
}

impl LibModSecurity {
    pub fn load(crs: &Crs) -> Result<Self, String> {
        let directives = c_string(&crs.directives(OWN)?)?;
        // SAFETY: pointers come from the library, and the text outlives the call.
        unsafe {
            let library = msc_init();
            msc_set_log_cb(library, ignore);
            let rules = msc_create_rules_set();
            let mut error: *const c_char = null();
            if msc_rules_add(rules, directives.as_ptr(), &raw mut error) < 0 {
                return Err(CStr::from_ptr(error).to_string_lossy().into_owned());
            }
            Ok(Self { library, rules })
        }
    }

    fn run(&self, request: &Request) -> Result<bool, String> {
        let (uri, method) = (c_string(request.uri)?, c_string(request.method)?);
        // SAFETY: the transaction comes from the library and is freed once, at the end; what is passed outlives
        // each call, and the library copies it.
        unsafe {
            let transaction = msc_new_transaction(self.library, self.rules, null_mut());
            let (client, server) = (c"192.0.2.1".as_ptr(), c"192.0.2.2".as_ptr());
            msc_process_connection(transaction, client, 50_000, server, 443);
            msc_process_uri(transaction, uri.as_ptr(), method.as_ptr(), c"1.1".as_ptr());
            for (name, value) in &request.headers {
                let (key, value) = (name.as_bytes(), value.as_bytes());
                msc_add_n_request_header(transaction, key.as_ptr(), key.len(), value.as_ptr(), value.len());
            }
            msc_process_request_headers(transaction);
            let mut stopped = intervened(transaction);
            msc_append_request_body(transaction, request.body.as_ptr(), request.body.len());
            msc_process_request_body(transaction);
            stopped |= intervened(transaction);
            for (name, value) in inspect::ANSWER {
                let (key, value) = (name.as_bytes(), value.as_bytes());
                msc_add_n_response_header(transaction, key.as_ptr(), key.len(), value.as_ptr(), value.len());
            }
            msc_process_response_headers(transaction, 200, c"HTTP/1.1".as_ptr());
            stopped |= intervened(transaction);
            msc_process_logging(transaction);
            msc_transaction_cleanup(transaction);
            Ok(stopped)
        }
    }
}

impl Engine for LibModSecurity {
    fn name(&self) -> &'static str {
        "libmodsecurity"
    }

    fn stops(&self, request: &Request) -> Result<bool, String> {
        self.run(request)
    }
}

/// As its connectors ask: after each phase, since the next one forgets.
///
/// # Safety
/// The transaction must be one of the library's that is not freed yet.
unsafe fn intervened(transaction: *mut c_void) -> bool {
    let mut intervention = Intervention::none();
    // SAFETY: both pointers are valid during the call; the texts are the caller's to free.
    unsafe {
        let stopped = msc_intervention(transaction, &raw mut intervention) != 0;
        free(intervention.url.cast());
        free(intervention.log.cast());
        stopped
    }
}

fn c_string(text: &str) -> Result<CString, String> {
    CString::new(text).map_err(|error| error.to_string())
}

/// Without a callback the library writes to standard error.
extern "C" fn ignore(_data: *mut c_void, _message: *const c_void) {}

#[repr(C)]
struct Intervention {
    status: c_int,
    pause: c_int,
    url: *mut c_char,
    log: *mut c_char,
    disruptive: c_int,
}

impl Intervention {
    fn none() -> Self {
        Self {
            status: 200,
            pause: 0,
            url: null_mut(),
            log: null_mut(),
            disruptive: 0,
        }
    }
}

unsafe extern "C" {
    fn free(pointer: *mut c_void);
}

#[link(name = "modsecurity")]
unsafe extern "C" {
    fn msc_init() -> *mut c_void;
    fn msc_set_log_cb(library: *mut c_void, callback: extern "C" fn(*mut c_void, *const c_void));
    fn msc_create_rules_set() -> *mut c_void;
    fn msc_rules_add(rules: *mut c_void, text: *const c_char, error: *mut *const c_char) -> c_int;
    fn msc_new_transaction(library: *mut c_void, rules: *mut c_void, data: *mut c_void) -> *mut c_void;
    fn msc_transaction_cleanup(transaction: *mut c_void);
    fn msc_process_connection(
        transaction: *mut c_void,
        client: *const c_char,
        client_port: c_int,
        server: *const c_char,
        server_port: c_int,
    ) -> c_int;
    fn msc_process_uri(
        transaction: *mut c_void,
        uri: *const c_char,
        method: *const c_char,
        version: *const c_char,
    ) -> c_int;
    fn msc_add_n_request_header(
        transaction: *mut c_void,
        name: *const c_uchar,
        name_length: usize,
        value: *const c_uchar,
        value_length: usize,
    ) -> c_int;
    fn msc_process_request_headers(transaction: *mut c_void) -> c_int;
    fn msc_append_request_body(transaction: *mut c_void, body: *const c_uchar, length: usize) -> c_int;
    fn msc_process_request_body(transaction: *mut c_void) -> c_int;
    fn msc_add_n_response_header(
        transaction: *mut c_void,
        name: *const c_uchar,
        name_length: usize,
        value: *const c_uchar,
        value_length: usize,
    ) -> c_int;
    fn msc_process_response_headers(transaction: *mut c_void, status: c_int, protocol: *const c_char) -> c_int;
    fn msc_process_logging(transaction: *mut c_void) -> c_int;
    fn msc_intervention(transaction: *mut c_void, intervention: *mut Intervention) -> c_int;
}
