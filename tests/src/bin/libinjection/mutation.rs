//! Changes that attackers make to attacks, and accidents.

use crate::generator::{PIECES, word};
use crate::material::Material;
use crate::random::Random;

/// One change.
pub(crate) fn mutate(mut value: Vec<u8>, material: &Material, random: &mut Random) -> Vec<u8> {
    let at = random.below(value.len() + 1);
    match random.below(13) {
        0 => {
            value.truncate(at);
            value
        }
        1 => value.split_off(at),
        2 => spliced(value, at, random.piece(&PIECES)),
        3 => spliced(value, at, &word(material, random)),
        4 => spliced(value, at, &[random.below(256) as u8]),
        5 => {
            let other = random.one_of(&material.values);
            value.truncate(at);
            value.extend_from_slice(&other[random.below(other.len())..]);
            value
        }
        6 => value
            .iter()
            .map(|&byte| if random.once_in(2) { swap_case(byte) } else { byte })
            .collect(),
        7 => replaced(
            &value,
            b' ',
            random.piece(&[&b"/**/"[..], b"\t", b"+", b"\xa0", b"\0", b"--\n", b"%20"]),
        ),
        8 => replaced(
            &value,
            b'\'',
            random.piece(&[&b"\""[..], b"`", b"\\'", b"''", b"%27"]),
        ),
        9 => replaced(&value, b'"', random.piece(&[&b"'"[..], b"`", b"\\\""])),
        10 => percent_encoded(&value, random),
        11 => [
            random.piece(&[&b"1' "[..], b"x\" ", b"') ", b"1 ", b"\">", b"`"]),
            &value[..],
        ]
        .concat(),
        _ => {
            let end = at + random.below(6).min(value.len() - at);
            spliced(value.clone(), end, &value[at..end])
        }
    }
}

fn spliced(mut value: Vec<u8>, at: usize, piece: &[u8]) -> Vec<u8> {
    value.splice(at..at, piece.iter().copied());
    value
}

fn swap_case(byte: u8) -> u8 {
    if byte.is_ascii_alphabetic() {
        byte ^ 0x20
    } else {
        byte
    }
}

fn replaced(value: &[u8], byte: u8, by: &[u8]) -> Vec<u8> {
    value.split(|&other| other == byte).collect::<Vec<_>>().join(by)
}

fn percent_encoded(value: &[u8], random: &mut Random) -> Vec<u8> {
    let encode = |byte: &u8| match random.once_in(4) {
        true => format!("%{byte:02x}").into_bytes(),
        false => vec![*byte],
    };
    value.iter().flat_map(encode).collect()
}
