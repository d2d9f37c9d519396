//! A database in MaxMind's format (version 2.0 of its specification), as small as it can be.

use ipnet::IpNet;

/// Where a branch of the tree leads.
#[derive(Clone, Copy)]
enum Branch {
    Nowhere,
    Node(usize),
    Data(usize),
}

/// A database that knows the countries of these networks.
pub fn country_database(networks: &[(&str, &str)]) -> Vec<u8> {
    let (mut nodes, mut data) = (vec![[Branch::Nowhere; 2]], Vec::new());
    for (network, country) in networks {
        let (bits, length) = path(network.parse().unwrap());
        let offset = data.len();
        data.extend(map(&[("country", map(&[("iso_code", text(country))]))]));
        let mut node = 0;
        for depth in 0..length {
            let side = usize::from(bits >> (127 - depth) & 1 == 1);
            if depth + 1 == length {
                nodes[node][side] = Branch::Data(offset);
                break;
            }
            node = match nodes[node][side] {
                Branch::Node(next) => next,
                _ => {
                    nodes.push([Branch::Nowhere; 2]);
                    let next = nodes.len() - 1;
                    nodes[node][side] = Branch::Node(next);
                    next
                }
            };
        }
    }
    let count = nodes.len();
    let mut file = Vec::new();
    for branch in nodes.iter().flatten() {
        let record = match branch {
            Branch::Nowhere => count,
            Branch::Node(node) => *node,
            Branch::Data(offset) => count + 16 + offset,
        };
        file.extend(&(record as u32).to_be_bytes()[1..]);
    }
    file.extend([0; 16]);
    file.extend(data);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    file.extend(metadata(count));
    file
}

/// IPv4 is below `::/96`.
fn path(network: IpNet) -> (u128, u32) {
    match network {
        IpNet::V4(v4) => (u128::from(v4.addr().to_bits()), 96 + u32::from(v4.prefix_len())),
        IpNet::V6(v6) => (v6.addr().to_bits(), u32::from(v6.prefix_len())),
    }
}

fn metadata(nodes: usize) -> Vec<u8> {
    let number = |value: u16| [&[0xa2][..], &value.to_be_bytes()].concat();
    map(&[
        (
            "node_count",
            [&[0xc4][..], &(nodes as u32).to_be_bytes()].concat(),
        ),
        ("record_size", number(24)),
        ("ip_version", number(6)),
        ("database_type", text("Test-Country")),
        ("languages", vec![0x00, 0x04]),
        ("binary_format_major_version", number(2)),
        ("binary_format_minor_version", number(0)),
        ("build_epoch", vec![0x01, 0x02, 0x01]),
        ("description", map(&[])),
    ])
}

fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut map = vec![0xe0 | entries.len() as u8];
    for (key, value) in entries {
        map.extend(text(key));
        map.extend(value);
    }
    map
}

fn text(text: &str) -> Vec<u8> {
    [&[0x40 | text.len() as u8][..], text.as_bytes()].concat()
}
