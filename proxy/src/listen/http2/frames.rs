//! The frames of HTTP/2 as they come from a client, counted: what costs the edge more than the client, and is no request.
//!
//! The h2 crate bounds a list of fields, the frames that it comes in, and errors of the client's. It does not
//! bound how many streams are opened and reset again (rapid reset, CVE-2023-44487) once each was accepted, nor pings,
//! settings and window updates.

use std::time::{Duration, Instant};

/// RFC 9113 section 3.4.
const PREFACE: usize = 24;

/// Of a frame: length, type, flags, stream.
const HEADER: usize = 9;

const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

/// A client that takes an answer tells of its window at most once for so many bytes; one that takes none, not at all.
const BYTES_PER_UPDATE: u64 = 512;

/// How much a client may send within the window.
#[derive(Debug, Clone, Copy)]
pub(in crate::listen) struct FrameLimits {
    /// The window.
    pub(in crate::listen) window: Duration,
    /// Streams that are reset.
    pub(in crate::listen) resets: u32,
    /// Frames that belong to no request.
    pub(in crate::listen) control: u32,
}

/// What there was too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excess {
    Resets,
    ControlFrames,
    WindowUpdates,
}

impl Excess {
    /// The word for it in metrics.
    pub(super) fn label(self) -> &'static str {
        match self {
            Excess::Resets => "h2_resets",
            Excess::ControlFrames => "h2_control_frames",
            Excess::WindowUpdates => "h2_window_updates",
        }
    }
}

/// Counts a connection's frames.
#[derive(Debug)]
pub(super) struct Frames {
    limits: FrameLimits,
    /// Bytes of the preface that are still to come.
    preface: usize,
    header: [u8; HEADER],
    /// Bytes of `header` that are there.
    filled: usize,
    /// Bytes of the frame that are still to come.
    payload: usize,
    /// A list of fields has begun, and its end is still to come.
    fields: bool,
    /// The frame is the last of such a list.
    last: bool,
    /// The client's latest stream.
    stream: u32,
    requests: u32,
    since: Instant,
    resets: u32,
    control: u32,
    updates: u32,
    written: u64,
}

impl Frames {
    /// Of a connection that begins now.
    pub(super) fn new(limits: FrameLimits, now: Instant) -> Self {
        Self {
            limits,
            preface: PREFACE,
            header: [0; HEADER],
            filled: 0,
            payload: 0,
            fields: false,
            last: false,
            stream: 0,
            requests: 0,
            since: now,
            resets: 0,
            control: 0,
            updates: 0,
            written: 0,
        }
    }

    /// Looks at bytes that came from the client.
    pub(super) fn read(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), Excess> {
        if now.duration_since(self.since) > self.limits.window {
            self.since = now;
            (self.resets, self.control, self.updates, self.written) = (0, 0, 0, 0);
        }
        let skipped = self.preface.min(bytes.len());
        self.preface -= skipped;
        bytes = &bytes[skipped..];
        while !bytes.is_empty() {
            if self.payload > 0 {
                let skipped = self.payload.min(bytes.len());
                self.payload -= skipped;
                bytes = &bytes[skipped..];
            } else {
                let part = (HEADER - self.filled).min(bytes.len());
                self.header[self.filled..self.filled + part].copy_from_slice(&bytes[..part]);
                self.filled += part;
                bytes = &bytes[part..];
                if self.filled == HEADER {
                    self.filled = 0;
                    self.frame()?;
                }
            }
            if self.payload == 0 && self.filled == 0 && self.last {
                (self.fields, self.last) = (false, false);
            }
        }
        Ok(())
    }

    /// Told of bytes that went to the client.
    pub(super) fn wrote(&mut self, count: usize) {
        self.written = self.written.saturating_add(count as u64);
    }

    /// Whether something has begun that is to be complete within the time for a head.
    pub(super) fn awaits_head(&self) -> bool {
        self.preface > 0 || self.fields
    }

    /// Requests so far.
    pub(super) fn requests(&self) -> u32 {
        self.requests
    }

    /// The client's latest stream.
    pub(super) fn stream(&self) -> u32 {
        self.stream
    }

    fn frame(&mut self) -> Result<(), Excess> {
        let [a, b, c, kind, flags, stream @ ..] = self.header;
        self.payload = u32::from_be_bytes([0, a, b, c]) as usize;
        let stream = u32::from_be_bytes(stream) & 0x7fff_ffff;
        match kind {
            // DATA; an empty one that ends nothing says nothing.
            0 if self.payload > 0 || flags & END_STREAM != 0 => Ok(()),
            // HEADERS, of a request or its trailers.
            1 => {
                (self.fields, self.last) = (true, flags & END_HEADERS != 0);
                if stream > self.stream {
                    self.stream = stream;
                    self.requests = self.requests.saturating_add(1);
                }
                Ok(())
            }
            // RST_STREAM
            3 => count(&mut self.resets, u64::from(self.limits.resets), Excess::Resets),
            // WINDOW_UPDATE
            8 => {
                let most = u64::from(self.limits.control) + self.written / BYTES_PER_UPDATE;
                count(&mut self.updates, most, Excess::WindowUpdates)
            }
            // CONTINUATION
            9 if self.payload > 0 || flags & END_HEADERS != 0 => {
                self.last = flags & END_HEADERS != 0;
                Ok(())
            }
            // PRIORITY, SETTINGS, PING, GOAWAY, and what nobody knows.
            _ => count(
                &mut self.control,
                u64::from(self.limits.control),
                Excess::ControlFrames,
            ),
        }
    }
}

fn count(counted: &mut u32, most: u64, excess: Excess) -> Result<(), Excess> {
    *counted = counted.saturating_add(1);
    if u64::from(*counted) > most {
        Err(excess)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: FrameLimits = FrameLimits {
        window: Duration::from_secs(10),
        resets: 3,
        control: 5,
    };

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = (payload.len() as u32).to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    fn connection(frames: &[Vec<u8>]) -> Vec<u8> {
        [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frames.concat()].concat()
    }

    fn read(bytes: &[u8], step: usize) -> Result<Frames, Excess> {
        let now = Instant::now();
        let mut frames = Frames::new(LIMITS, now);
        for part in bytes.chunks(step) {
            frames.read(part, now)?;
        }
        Ok(frames)
    }

    #[test]
    fn requests_are_counted_and_their_bodies_are_not() {
        let request = |stream| frame(1, 0x5, stream, b"fields");
        let body = frame(0, 0, 1, &[9; 100]);
        let bytes = connection(&[frame(4, 0, 0, &[]), request(1), body.clone(), request(3), body]);
        for step in [1, 7, 4096] {
            let frames = read(&bytes, step).unwrap();
            assert_eq!((frames.requests(), frames.stream()), (2, 3), "{step}");
            assert!(!frames.awaits_head());
        }
    }

    #[test]
    fn a_head_is_awaited_to_its_last_byte() {
        let now = Instant::now();
        let mut frames = Frames::new(LIMITS, now);
        assert!(frames.awaits_head());
        frames.read(&connection(&[]), now).unwrap();
        assert!(!frames.awaits_head());
        frames.read(&frame(1, 0, 1, b"some"), now).unwrap();
        assert!(frames.awaits_head());
        frames.read(&frame(9, 0, 1, b"more"), now).unwrap();
        assert!(frames.awaits_head());
        let last = frame(9, 0x4, 1, b"last");
        frames.read(&last[..last.len() - 1], now).unwrap();
        assert!(frames.awaits_head());
        frames.read(&last[last.len() - 1..], now).unwrap();
        assert!(!frames.awaits_head());
    }

    #[test]
    fn too_much_of_one_thing_is_told() {
        for (kind, payload, most, excess) in [
            (3, &[0; 4][..], 3, Excess::Resets),
            (4, &[], 5, Excess::ControlFrames),
            (6, &[0; 8], 5, Excess::ControlFrames),
            (2, &[0; 5], 5, Excess::ControlFrames),
            (0, &[], 5, Excess::ControlFrames),
            (9, &[], 5, Excess::ControlFrames),
            (99, &[1], 5, Excess::ControlFrames),
            (8, &[0; 4], 5, Excess::WindowUpdates),
        ] {
            let some = |count| connection(&vec![frame(kind, 0, 1, payload); count]);
            assert!(read(&some(most), 5).is_ok(), "{excess:?}");
            assert_eq!(read(&some(most + 1), 5).err(), Some(excess));
        }
    }

    #[test]
    fn windows_are_told_of_as_answers_are_taken_and_time_heals() {
        let start = Instant::now();
        let mut frames = Frames::new(LIMITS, start);
        frames.read(&connection(&[]), start).unwrap();
        frames.wrote(BYTES_PER_UPDATE as usize * 4);
        let update = frame(8, 0, 1, &[0; 4]);
        frames.read(&update.repeat(9), start).unwrap();
        assert_eq!(frames.read(&update, start), Err(Excess::WindowUpdates));
        let later = start + LIMITS.window + Duration::from_millis(1);
        assert_eq!(frames.read(&update.repeat(5), later), Ok(()));
    }
}
