//! The API's refusals and the envelope of every answer.

use hyper::StatusCode;
use serde_json::{Value, json};

/// The code of refusals that are the fake's own: the real API would take no notice, or has a code that is unknown
/// here.
pub const STRICT: u32 = 99_400;

const SAME_NAME: &str = "For more details, refer to \
    <https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/>.";

/// Why a request was refused.
#[derive(Debug)]
pub(super) struct ApiError {
    pub status: StatusCode,
    errors: Vec<Value>,
}

impl ApiError {
    fn new(status: StatusCode, code: u32, message: &str) -> Self {
        ApiError {
            status,
            errors: vec![json!({"code": code, "message": message})],
        }
    }

    fn bad_request(code: u32, message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 1004, with the reason in the chain.
    pub(super) fn invalid_record(code: u32, message: &str) -> Self {
        let chain = json!([{"code": code, "message": message}]);
        ApiError {
            status: StatusCode::BAD_REQUEST,
            errors: vec![json!({"code": 1004, "message": "DNS Validation Error", "error_chain": chain})],
        }
    }

    /// The client's mistake that the real API would let pass.
    pub(super) fn strict(message: &str) -> Self {
        Self::bad_request(STRICT, message)
    }

    pub(super) fn no_credentials() -> Self {
        Self::bad_request(9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
    }

    pub(super) fn malformed_authorization() -> Self {
        let chain = json!([{"code": 6111, "message": "Invalid format for Authorization header"}]);
        ApiError {
            status: StatusCode::BAD_REQUEST,
            errors: vec![json!({"code": 6003, "message": "Invalid request headers", "error_chain": chain})],
        }
    }

    /// What `/user/tokens/verify` says of a token that nobody made.
    pub(super) fn invalid_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 1000, "Invalid API Token")
    }

    /// What the other paths say of it.
    pub(super) fn invalid_access_token() -> Self {
        Self::new(StatusCode::FORBIDDEN, 9109, "Invalid access token")
    }

    /// A zone's details are not for this token.
    pub(super) fn unauthorized_resource() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            9109,
            "Unauthorized to access requested resource",
        )
    }

    /// A zone's records are not for this token, or not for changing.
    pub(super) fn authentication() -> Self {
        Self::new(StatusCode::FORBIDDEN, 10_000, "Authentication error")
    }

    pub(super) fn unknown_zone() -> Self {
        Self::new(StatusCode::NOT_FOUND, 1001, "Invalid zone identifier")
    }

    pub(super) fn no_route(path: &str) -> Self {
        let message = format!("Could not route to {path}, perhaps your object identifier is invalid?");
        ApiError {
            status: StatusCode::NOT_FOUND,
            errors: vec![
                json!({"code": 7003, "message": message}),
                json!({"code": 7000, "message": "No route for that URI"}),
            ],
        }
    }

    pub(super) fn method_not_allowed(method: &str) -> Self {
        let message = format!("Method {method} not available for that URI.");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, 7001, &message)
    }

    pub(super) fn not_json() -> Self {
        Self::bad_request(6007, "Malformed JSON in request body")
    }

    pub(super) fn body_too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            STRICT,
            "The request body is too large",
        )
    }

    pub(super) fn bad_body(reason: &str) -> Self {
        Self::bad_request(9207, &format!("Request body is invalid: {reason}."))
    }

    pub(super) fn throttled() -> Self {
        let message = "Please wait and consider throttling your request speed";
        Self::new(StatusCode::TOO_MANY_REQUESTS, 971, message)
    }

    /// A status on demand.
    pub(super) fn broken(status: StatusCode) -> Self {
        Self::new(status, 10_013, "An unknown error has occurred.")
    }

    pub(super) fn bad_name() -> Self {
        Self::bad_request(9000, "DNS name is invalid.")
    }

    /// 9003: the proxy does not go there.
    pub(super) fn private_target(target: &str) -> Self {
        Self::bad_request(
            9003,
            &format!("Target {target} is not allowed for a proxied record."),
        )
    }

    pub(super) fn bad_content(code: u32, message: &str) -> Self {
        Self::bad_request(code, message)
    }

    pub(super) fn record_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, 81_044, "Record does not exist.")
    }

    pub(super) fn record_quota() -> Self {
        Self::bad_request(81_045, "Record quota exceeded.")
    }

    /// A CNAME where something has an address already.
    pub(super) fn host_exists() -> Self {
        let message = format!("An A, AAAA, or CNAME record with that host already exists. {SAME_NAME}");
        Self::bad_request(81_053, &message)
    }

    /// An address where there is a CNAME.
    pub(super) fn cname_exists() -> Self {
        let message = format!("A CNAME record with that host already exists. {SAME_NAME}");
        Self::bad_request(81_054, &message)
    }

    /// Something beside a delegation.
    pub(super) fn ns_exists() -> Self {
        Self::bad_request(81_056, "NS records with that host already exist.")
    }

    pub(super) fn identical() -> Self {
        Self::bad_request(81_058, "An identical record already exists.")
    }

    /// The limit is documented, its code is not.
    pub(super) fn batch_limit(limit: usize) -> Self {
        Self::bad_request(
            STRICT,
            &format!("A batch may hold {limit} operations on this plan."),
        )
    }

    pub(super) fn body(&self) -> Value {
        json!({"success": false, "errors": self.errors, "messages": [], "result": null})
    }
}

/// A good answer.
#[derive(Debug)]
pub(super) struct Success {
    pub result: Value,
    pub result_info: Option<Value>,
    pub messages: Vec<Value>,
}

impl Success {
    pub(super) fn new(result: Value) -> Self {
        Success {
            result,
            result_info: None,
            messages: Vec::new(),
        }
    }

    pub(super) fn body(self) -> Value {
        let mut body = json!({
            "success": true, "errors": [], "messages": self.messages, "result": self.result,
        });
        if let Some(info) = self.result_info {
            body["result_info"] = info;
        }
        body
    }
}

pub(super) type Answer = Result<Success, ApiError>;
