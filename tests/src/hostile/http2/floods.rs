//! More of HTTP/2 than anybody needs.

use super::super::Outcome::{self, GoAway, Reset};
use super::super::frames::{self, block, connection, data, frame, headers};
use super::super::{Case, Input};
use super::{CALM, GET, POST, PROTOCOL_ERROR, case};

const REFUSED_STREAM: u32 = 7;

fn flood(name: &str, bytes: Vec<u8>, wanted: Outcome) -> Case {
    Case {
        input: Input::Flood(bytes),
        ..case("HTTP/2 floods", name, &[], wanted)
    }
}

pub(super) fn cases() -> Vec<Case> {
    let stream = |at: u32| at * 2 + 1;
    let many = |count: u32, one: &dyn Fn(u32) -> Vec<u8>| (0..count).map(one).collect::<Vec<_>>();
    let cancel = [0, 0, 0, 8];
    let reset = |at: u32| {
        [
            headers(stream(at), false, &POST),
            frame(3, 0, stream(at), &cancel),
        ]
        .concat()
    };
    let overflow = |at: u32| {
        let update = frame(8, 0, stream(at), &[0x7f, 0xff, 0xff, 0xff]);
        [headers(stream(at), false, &POST), update].concat()
    };
    let nothing = |at: u32| {
        let update = frame(8, 0, stream(at), &[0; 4]);
        [headers(stream(at), false, &POST), update].concat()
    };
    let begun = vec![headers(1, false, &POST)];
    let after = |frames: Vec<Vec<u8>>| connection(&[begun.clone(), frames].concat());
    let block = frame(1, 0x1, 1, &block(&GET));
    let field = frame(9, 0, 1, &frames::block(&[("x-a", "b")]));
    vec![
        flood(
            "2,000 streams opened and reset (rapid reset)",
            connection(&many(2000, &reset)),
            GoAway(CALM),
        ),
        flood(
            "2,000 streams whose windows overflow (MadeYouReset)",
            connection(&many(2000, &overflow)),
            GoAway(CALM),
        ),
        flood(
            "2,000 windows enlarged by 0 (MadeYouReset)",
            connection(&many(2000, &nothing)),
            GoAway(PROTOCOL_ERROR),
        ),
        flood(
            "20,000 PINGs",
            connection(&many(20_000, &|_| frame(6, 0, 0, &[0; 8]))),
            GoAway(CALM),
        ),
        flood(
            "20,000 SETTINGS",
            connection(&many(20_000, &|_| frame(4, 0, 0, &[]))),
            GoAway(CALM),
        ),
        flood(
            "20,000 PRIORITYs",
            connection(&many(20_000, &|_| frame(2, 0, 1, &[0, 0, 0, 0, 1]))),
            GoAway(CALM),
        ),
        flood(
            "20,000 frames of no known kind",
            connection(&many(20_000, &|_| frame(99, 0, 0, b"x"))),
            GoAway(CALM),
        ),
        flood(
            "20,000 WINDOW_UPDATEs",
            connection(&many(20_000, &|_| frame(8, 0, 0, &[0, 0, 0, 1]))),
            GoAway(CALM),
        ),
        flood(
            "20,000 empty DATA",
            after(many(20_000, &|_| data(1, false, b""))),
            GoAway(CALM),
        ),
        flood(
            "20,000 CONTINUATIONs",
            connection(&[vec![block.clone()], vec![field; 20_000]].concat()),
            GoAway(CALM),
        ),
        flood(
            "20,000 empty CONTINUATIONs",
            connection(&[vec![block.clone()], vec![frame(9, 0, 1, b""); 20_000]].concat()),
            GoAway(CALM),
        ),
        flood("a field block without an end", connection(&[block]), GoAway(CALM)),
        case(
            "HTTP/2 floods",
            "150 streams at once",
            &many(150, &|at| headers(stream(at), false, &POST)),
            Reset(REFUSED_STREAM),
        ),
        flood("nothing at all", Vec::new(), GoAway(CALM)),
    ]
}
