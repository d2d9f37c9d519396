//! The log of matches, read back.

use std::collections::BTreeMap;

/// The lines of each client, by its port.
pub(super) fn by_client(log: &[u8]) -> BTreeMap<u16, Vec<Vec<u8>>> {
    let mut clients = BTreeMap::<u16, Vec<Vec<u8>>>::new();
    for line in log.split(|byte| *byte == b'\n') {
        if let Some(port) = port(line) {
            clients.entry(port).or_default().push(line.to_vec());
        }
    }
    clients
}

/// The rule that a line is about.
pub(super) fn rule_id(line: &[u8]) -> Option<u64> {
    number(after(line, b" [id \"")?)
}

/// The port in `[client 127.0.0.1:50000]`.
fn port(line: &[u8]) -> Option<u16> {
    let client = after(line, b" [client ")?;
    let end = client.iter().position(|byte| *byte == b']')?;
    let colon = client[..end].iter().rposition(|byte| *byte == b':')?;
    number(&client[colon + 1..end])
}

fn after<'a>(line: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let at = line.windows(mark.len()).position(|window| window == mark)?;
    Some(&line[at + mark.len()..])
}

/// The digits at the start.
fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&text[..digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_belong_to_their_clients() {
        let line = |port: u16, id: u64| {
            format!(
                "2026-01-02T03:04:05Z [client 127.0.0.1:{port}] ModSecurity: Warning. [file \"a\"] [id \"{id}\"]"
            )
        };
        let log = [line(10_000, 1), line(10_001, 2), line(10_000, 3)].join("\n");
        let clients = by_client(log.as_bytes());
        let ids =
            |port: u16| -> Vec<u64> { clients[&port].iter().filter_map(|line| rule_id(line)).collect() };
        assert_eq!((ids(10_000), ids(10_001)), (vec![1, 3], vec![2]));
    }
}
