//! The variables that rules look at: their SecLang names and kinds.
//!
//! What a variable holds for a request is the business of [`crate::transaction`]; here stands only what
//! is true of it at load time.

use std::fmt;

mod arguments;
mod body;
mod collections;
mod connection;
mod request;
mod response;
mod time;
mod view;

pub(crate) use collections::changes_while_rules_run;
pub(crate) use connection::address;
pub(crate) use view::{View, admits, is_removed, visit_fact, visit_fact_target};

/// Whether a variable is one value or a collection of named values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One value, or none.
    Scalar,
    /// Any number of `(key, value)` pairs.
    Collection,
}

macro_rules! variables {
    ($($(#[$doc:meta])* $variant:ident $name:literal $kind:ident,)*) => {
        /// A SecLang variable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "each variant is the SecLang name beside it")]
        pub enum Variable { $($(#[$doc])* $variant,)* }

        impl Variable {
            /// Every variable, in the order of the enum.
            pub const ALL: &'static [Variable] = &[$(Variable::$variant,)*];

            /// The SecLang name, in capitals.
            pub fn name(self) -> &'static str {
                match self { $(Variable::$variant => $name,)* }
            }

            /// One value or many.
            pub fn kind(self) -> Kind {
                match self { $(Variable::$variant => Kind::$kind,)* }
            }
        }
    };
}

variables! {
    Args "ARGS" Collection,
    ArgsCombinedSize "ARGS_COMBINED_SIZE" Scalar,
    ArgsGet "ARGS_GET" Collection,
    ArgsGetNames "ARGS_GET_NAMES" Collection,
    ArgsNames "ARGS_NAMES" Collection,
    ArgsPost "ARGS_POST" Collection,
    ArgsPostNames "ARGS_POST_NAMES" Collection,
    AuthType "AUTH_TYPE" Scalar,
    Duration "DURATION" Scalar,
    Env "ENV" Collection,
    Files "FILES" Collection,
    FilesCombinedSize "FILES_COMBINED_SIZE" Scalar,
    FilesNames "FILES_NAMES" Collection,
    FilesSizes "FILES_SIZES" Collection,
    FilesTmpContent "FILES_TMP_CONTENT" Collection,
    FilesTmpnames "FILES_TMPNAMES" Collection,
    FullRequest "FULL_REQUEST" Scalar,
    FullRequestLength "FULL_REQUEST_LENGTH" Scalar,
    Geo "GEO" Collection,
    Global "GLOBAL" Collection,
    HighestSeverity "HIGHEST_SEVERITY" Scalar,
    InboundDataError "INBOUND_DATA_ERROR" Scalar,
    Ip "IP" Collection,
    MatchedVar "MATCHED_VAR" Scalar,
    MatchedVarName "MATCHED_VAR_NAME" Scalar,
    MatchedVars "MATCHED_VARS" Collection,
    MatchedVarsNames "MATCHED_VARS_NAMES" Collection,
    ModsecBuild "MODSEC_BUILD" Scalar,
    MscPcreError "MSC_PCRE_ERROR" Scalar,
    MscPcreLimitsExceeded "MSC_PCRE_LIMITS_EXCEEDED" Scalar,
    MultipartBoundaryQuoted "MULTIPART_BOUNDARY_QUOTED" Scalar,
    MultipartBoundaryWhitespace "MULTIPART_BOUNDARY_WHITESPACE" Scalar,
    MultipartCrlfLfLines "MULTIPART_CRLF_LF_LINES" Scalar,
    MultipartDataAfter "MULTIPART_DATA_AFTER" Scalar,
    MultipartDataBefore "MULTIPART_DATA_BEFORE" Scalar,
    MultipartFileLimitExceeded "MULTIPART_FILE_LIMIT_EXCEEDED" Scalar,
    MultipartFilename "MULTIPART_FILENAME" Collection,
    MultipartHeaderFolding "MULTIPART_HEADER_FOLDING" Scalar,
    MultipartInvalidHeaderFolding "MULTIPART_INVALID_HEADER_FOLDING" Scalar,
    MultipartInvalidPart "MULTIPART_INVALID_PART" Scalar,
    MultipartInvalidQuoting "MULTIPART_INVALID_QUOTING" Scalar,
    MultipartLfLine "MULTIPART_LF_LINE" Scalar,
    MultipartMissingSemicolon "MULTIPART_MISSING_SEMICOLON" Scalar,
    MultipartName "MULTIPART_NAME" Collection,
    MultipartPartHeaders "MULTIPART_PART_HEADERS" Collection,
    MultipartStrictError "MULTIPART_STRICT_ERROR" Scalar,
    MultipartUnmatchedBoundary "MULTIPART_UNMATCHED_BOUNDARY" Scalar,
    OutboundDataError "OUTBOUND_DATA_ERROR" Scalar,
    PathInfo "PATH_INFO" Scalar,
    QueryString "QUERY_STRING" Scalar,
    RemoteAddr "REMOTE_ADDR" Scalar,
    RemoteHost "REMOTE_HOST" Scalar,
    RemotePort "REMOTE_PORT" Scalar,
    RemoteUser "REMOTE_USER" Scalar,
    ReqbodyError "REQBODY_ERROR" Scalar,
    ReqbodyErrorMsg "REQBODY_ERROR_MSG" Scalar,
    ReqbodyProcessor "REQBODY_PROCESSOR" Scalar,
    ReqbodyProcessorError "REQBODY_PROCESSOR_ERROR" Scalar,
    ReqbodyProcessorErrorMsg "REQBODY_PROCESSOR_ERROR_MSG" Scalar,
    RequestBasename "REQUEST_BASENAME" Scalar,
    RequestBody "REQUEST_BODY" Scalar,
    RequestBodyLength "REQUEST_BODY_LENGTH" Scalar,
    RequestCookies "REQUEST_COOKIES" Collection,
    RequestCookiesNames "REQUEST_COOKIES_NAMES" Collection,
    RequestFilename "REQUEST_FILENAME" Scalar,
    RequestHeaders "REQUEST_HEADERS" Collection,
    RequestHeadersNames "REQUEST_HEADERS_NAMES" Collection,
    RequestLine "REQUEST_LINE" Scalar,
    RequestMethod "REQUEST_METHOD" Scalar,
    RequestProtocol "REQUEST_PROTOCOL" Scalar,
    RequestUri "REQUEST_URI" Scalar,
    RequestUriRaw "REQUEST_URI_RAW" Scalar,
    Resource "RESOURCE" Collection,
    ResponseArgs "RESPONSE_ARGS" Collection,
    ResponseBody "RESPONSE_BODY" Scalar,
    ResponseContentLength "RESPONSE_CONTENT_LENGTH" Scalar,
    ResponseContentType "RESPONSE_CONTENT_TYPE" Scalar,
    ResponseHeaders "RESPONSE_HEADERS" Collection,
    ResponseHeadersNames "RESPONSE_HEADERS_NAMES" Collection,
    ResponseProtocol "RESPONSE_PROTOCOL" Scalar,
    ResponseStatus "RESPONSE_STATUS" Scalar,
    ResponseXml "RESPONSE_XML" Collection,
    Rule "RULE" Collection,
    ServerAddr "SERVER_ADDR" Scalar,
    ServerName "SERVER_NAME" Scalar,
    ServerPort "SERVER_PORT" Scalar,
    Session "SESSION" Collection,
    SessionId "SESSIONID" Scalar,
    StatusLine "STATUS_LINE" Scalar,
    Time "TIME" Scalar,
    TimeDay "TIME_DAY" Scalar,
    TimeEpoch "TIME_EPOCH" Scalar,
    TimeHour "TIME_HOUR" Scalar,
    TimeMin "TIME_MIN" Scalar,
    TimeMon "TIME_MON" Scalar,
    TimeSec "TIME_SEC" Scalar,
    TimeWday "TIME_WDAY" Scalar,
    TimeYear "TIME_YEAR" Scalar,
    Tx "TX" Collection,
    UniqueId "UNIQUE_ID" Scalar,
    UrlencodedError "URLENCODED_ERROR" Scalar,
    User "USER" Collection,
    UserId "USERID" Scalar,
    WebAppId "WEBAPPID" Scalar,
    Xml "XML" Collection,
}

/// What a variable's values come from, in the order in which it becomes known. Values of what was known earlier
/// do not change any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// The connection and the head of the request.
    Head,
    /// Its body, too.
    Body,
    /// The response, or anything.
    Response,
}

impl Variable {
    /// What its values come from.
    pub(crate) fn origin(self) -> Origin {
        use Variable::*;
        match self {
            RequestMethod | RequestProtocol | RequestLine | RequestUri | RequestUriRaw | RequestFilename
            | PathInfo | RequestBasename | QueryString | RequestHeaders | RequestHeadersNames
            | RequestCookies | RequestCookiesNames | ServerName | ArgsGet | ArgsGetNames | RemoteAddr => {
                Origin::Head
            }
            Args | ArgsCombinedSize | ArgsNames | ArgsPost | ArgsPostNames | Files | FilesCombinedSize
            | FilesNames | FilesSizes | FilesTmpContent | FullRequest | MultipartFilename | MultipartName
            | MultipartPartHeaders | RequestBody | Xml => Origin::Body,
            _ => Origin::Response,
        }
    }

    /// Whether it may be another for a request that is the same to the byte, from the same client. (`DURATION` is 0,
    /// there is no `GEO`, and whoever opens a persistent collection leaves a trace.)
    pub(crate) fn is_unrepeatable(self) -> bool {
        use Variable::*;
        matches!(
            self,
            UniqueId
                | RemotePort
                | Time
                | TimeDay
                | TimeEpoch
                | TimeHour
                | TimeMin
                | TimeMon
                | TimeSec
                | TimeWday
                | TimeYear
        )
    }

    /// Whether it is a text of the message whose parts are variables of their own: it is long, and few rules ask for it.
    pub(crate) fn is_whole(self) -> bool {
        use Variable::*;
        matches!(
            self,
            RequestBody | RequestLine | RequestUri | RequestUriRaw | QueryString | FullRequest
        )
    }

    /// Whether some of its values come again with the next requests, and are no secrets.
    pub(crate) fn may_last(self) -> bool {
        use Variable::*;
        matches!(
            self,
            RequestMethod
                | RequestProtocol
                | RequestHeaders
                | RequestHeadersNames
                | RequestCookiesNames
                | ArgsNames
                | ArgsGetNames
                | ArgsPostNames
        )
    }

    /// The variable of that SecLang name, in any case. `REQUEST_XML` and `RESPONSE_HEADERS` style aliases
    /// of ModSecurity are accepted where they mean the same.
    pub fn from_name(name: &str) -> Option<Self> {
        let upper = name.to_ascii_uppercase();
        let canonical = match upper.as_str() {
            "REQUEST_XML" => "XML",
            "JSON" => "ARGS_POST",
            "MULTIPART_SEMICOLON_MISSING" => "MULTIPART_MISSING_SEMICOLON",
            other => other,
        };
        Self::ALL
            .iter()
            .copied()
            .find(|variable| variable.name() == canonical)
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_variable() {
        for variable in Variable::ALL {
            assert_eq!(
                Variable::from_name(&variable.name().to_ascii_lowercase()),
                Some(*variable)
            );
        }
    }
}
