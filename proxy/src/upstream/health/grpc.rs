//! The health checking protocol of gRPC (grpc.health.v1, `Check`): one message each way, of one field each, so that both
//! are written and read by hand. Pure.

use bytes::{BufMut, Bytes, BytesMut};
use http::HeaderMap;

use super::ProbeError;

/// What is called.
pub(super) const METHOD: &str = "/grpc.health.v1.Health/Check";

/// `HealthCheckResponse.ServingStatus.SERVING`.
const SERVING: u64 = 1;
/// Field 1 of `HealthCheckRequest`, a string.
const SERVICE: u8 = 1 << 3 | LENGTH;
/// Field 1 of `HealthCheckResponse`, an enumeration.
const STATUS: u64 = 1 << 3;
/// Wire types of Protocol Buffers.
const LENGTH: u8 = 2;

/// The question whether this service is well; "" is the server as a whole.
pub(super) fn request(service: &str) -> Bytes {
    let mut message = BytesMut::new();
    if !service.is_empty() {
        message.put_u8(SERVICE);
        varint(&mut message, service.len() as u64);
        message.put_slice(service.as_bytes());
    }
    let mut framed = BytesMut::with_capacity(5 + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.unsplit(message);
    framed.freeze()
}

/// What the whole body of an answer says.
pub(super) fn judge(body: &[u8]) -> Result<(), ProbeError> {
    let unreadable = || ProbeError::Answer("no message of grpc.health.v1".to_owned());
    let (prefix, message) = body.split_at_checked(5).ok_or_else(unreadable)?;
    let [0, length @ ..] = prefix else {
        return Err(unreadable());
    };
    let length = length
        .iter()
        .fold(0_usize, |all, byte| all << 8 | usize::from(*byte));
    let message = message.get(..length).ok_or_else(unreadable)?;
    match status(message).ok_or_else(unreadable)? {
        SERVING => Ok(()),
        status => Err(ProbeError::NotServing(status)),
    }
}

/// What head or trailers say of the call itself, if anything.
pub(super) fn call(fields: &HeaderMap) -> Option<Result<(), ProbeError>> {
    let code = fields.get("grpc-status")?;
    Some(match code.to_str().ok().and_then(|code| code.parse().ok()) {
        Some(0) => Ok(()),
        Some(code) => Err(ProbeError::Call(code)),
        None => Err(ProbeError::Answer("no grpc-status".to_owned())),
    })
}

/// The last word on the status; what the message does not say is 0.
fn status(mut message: &[u8]) -> Option<u64> {
    let mut status = 0;
    while !message.is_empty() {
        let tag = read_varint(&mut message)?;
        let skipped = match tag & 7 {
            0 => {
                let value = read_varint(&mut message)?;
                if tag == STATUS {
                    status = value;
                }
                0
            }
            1 => 8,
            2 => usize::try_from(read_varint(&mut message)?).ok()?,
            5 => 4,
            _ => return None,
        };
        message = message.get(skipped..)?;
    }
    Some(status)
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn varint(into: &mut BytesMut, mut value: u64) {
    while value >= 0x80 {
        into.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    into.put_u8(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions() {
        assert_eq!(request(""), [0, 0, 0, 0, 0][..]);
        assert_eq!(request("shop"), [&[0, 0, 0, 0, 6, 10, 4][..], b"shop"].concat());
        let long = request(&"a".repeat(200));
        assert_eq!(long[..8], [0, 0, 0, 0, 203, 10, 0xc8, 1]);
    }

    #[test]
    fn answers() {
        let well = [0, 0, 0, 0, 2, 8, 1];
        assert_eq!(judge(&well), Ok(()));
        // Fields that nobody knows yet are passed over.
        let more = [
            0, 0, 0, 0, 20, 18, 2, 1, 1, 25, 0, 0, 0, 0, 0, 0, 0, 0, 37, 0, 0, 0, 0, 8, 1,
        ];
        assert_eq!(judge(&more), Ok(()));
        for (status, message) in [(2, &[8, 2][..]), (3, &[8, 3]), (0, &[]), (300, &[8, 0xac, 2])] {
            let body = [&[0, 0, 0, 0, message.len() as u8][..], message].concat();
            assert_eq!(judge(&body), Err(ProbeError::NotServing(status)), "{message:?}");
        }
        for unreadable in [
            &b""[..],
            b"<html>",
            &[0, 0, 0, 0, 2, 8],
            &[1, 0, 0, 0, 2, 8, 1],
            &[0, 0, 0, 0, 1, 8],
            &[0, 0, 0, 0, 2, 10, 9],
            &[0, 0, 0, 0, 1, 15],
            &[
                0, 0, 0, 0, 11, 8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
            ],
            &[0, 255, 255, 255, 255, 8, 1],
            &[0, 0, 0, 0, 11, 18, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
        ] {
            assert!(
                matches!(judge(unreadable), Err(ProbeError::Answer(_))),
                "{unreadable:?}"
            );
        }
    }

    #[test]
    fn calls() {
        let told = |code: &'static str| {
            let mut fields = HeaderMap::new();
            fields.insert("grpc-status", http::HeaderValue::from_static(code));
            call(&fields)
        };
        assert_eq!(call(&HeaderMap::new()), None);
        assert_eq!(told("0"), Some(Ok(())));
        assert_eq!(told("12"), Some(Err(ProbeError::Call(12))));
        assert!(matches!(told("fine"), Some(Err(ProbeError::Answer(_)))));
    }
}
