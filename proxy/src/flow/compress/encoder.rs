//! The codings, piece by piece into memory.

use std::io::{self, Write};
use std::sync::Mutex;

use bytes::Bytes;
use flate2::write::GzEncoder;
use pingora_error::{ErrorType, OrErr, Result};

use crate::config::Coding;

/// What answers are worth: most of the gain for a tenth of the time that the highest levels take. nginx' and Envoy's
/// defaults are lower, Caddy's are these.
const GZIP_LEVEL: u32 = 5;
const ZSTD_LEVEL: i32 = 3;
const BROTLI_QUALITY: u32 = 4;
/// 512 KiB: what browsers can hold in any case, and what a page seldom exceeds.
const BROTLI_WINDOW: u32 = 19;
const BROTLI_BUFFER: usize = 4096;

/// One body on its way.
pub(super) enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    /// The library's encoder is not `Sync`; nobody contends for it.
    Zstd(Mutex<zstd::stream::write::Encoder<'static, Vec<u8>>>),
}

impl Encoder {
    /// The beginning of a body.
    pub(super) fn new(coding: Coding) -> Result<Self> {
        Ok(match coding {
            Coding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL))),
            Coding::Brotli => {
                let writer =
                    brotli::CompressorWriter::new(Vec::new(), BROTLI_BUFFER, BROTLI_QUALITY, BROTLI_WINDOW);
                Self::Brotli(Box::new(writer))
            }
            Coding::Zstd => {
                let encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL);
                Self::Zstd(Mutex::new(explained(encoder)?))
            }
        })
    }

    /// Takes a piece; what is ready comes out.
    pub(super) fn write(&mut self, piece: &[u8]) -> Result<Bytes> {
        let written = self.writer().write_all(piece);
        explained(written)?;
        Ok(self.ready())
    }

    /// All that was taken so far comes out.
    pub(super) fn flush(&mut self) -> Result<Bytes> {
        let flushed = self.writer().flush();
        explained(flushed)?;
        Ok(self.ready())
    }

    /// The end of the body.
    pub(super) fn finish(self) -> Result<Bytes> {
        let rest = match self {
            Self::Gzip(encoder) => encoder.finish(),
            Self::Brotli(encoder) => Ok(encoder.into_inner()),
            Self::Zstd(encoder) => encoder
                .into_inner()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
                .finish(),
        };
        explained(rest).map(Bytes::from)
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Gzip(encoder) => encoder,
            Self::Brotli(encoder) => encoder,
            Self::Zstd(encoder) => encoder.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner()),
        }
    }

    fn ready(&mut self) -> Bytes {
        let ready = match self {
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Brotli(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder
                .get_mut()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
                .get_mut(),
        };
        Bytes::from(std::mem::take(ready))
    }
}

fn explained<T>(result: io::Result<T>) -> Result<T> {
    result.or_err(ErrorType::InternalError, "the answer cannot be compressed")
}
