//! What is printed: one table, and the ratios that matter.

use std::fmt::Write;

use crate::cases::{self, CASES};
use crate::measure::{Report, Sample};
use crate::peer::PEERS;

/// The rows, then what is missing.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut text = format!(
        "{:<16} {:<19} {:>12} {:>9} {:>10} {:>10} {:>8}\n",
        "case", "proxy", "CPU us/req", "req/s", "p50 us", "p99 us", "MiB"
    );
    for (case, peer) in rows() {
        if let Some(samples) = report.samples.get(&(case, peer)) {
            row(&mut text, case, peer, samples);
        }
    }
    for (peer, why) in &report.missing {
        let _ = writeln!(text, "{:<16} {peer:<19} {:>12}", "every case", "missing");
        let _ = writeln!(text, "missing {peer}: {why}");
    }
    text
}

/// `ratio <case> <peer> <value>`, one a line, of what was measured.
#[must_use]
pub fn ratios(report: &Report) -> String {
    let cpu = |sample: &Sample| sample.cpu.as_secs_f64();
    let p99 = |sample: &Sample| sample.p99.as_secs_f64();
    let mut text = String::new();
    let mut line = |name: &str, peer: &str, value: Option<f64>| {
        let _ = match value {
            Some(value) => writeln!(text, "ratio {name} {peer} {value:.2}"),
            None => writeln!(text, "missing ratio {name} {peer}"),
        };
    };
    for (name, case) in [
        ("edge-waf-on", cases::GET),
        ("edge-waf-on-distinct", cases::DISTINCT),
    ] {
        let get = |over, under| ratio(report, case, over, under, cpu);
        line(name, "envoy-no-waf", get("palisade-on", "envoy"));
        for peer in ["nginx-modsecurity", "go-coraza"] {
            line(name, peer, get(peer, "palisade-on"));
        }
    }
    for (name, case) in [
        ("edge-waf-off", cases::GET),
        ("edge-waf-off-h2", cases::GET_H2),
        ("edge-waf-off-new-tls", cases::NEW_TLS),
        ("edge-waf-off-download", cases::DOWNLOAD),
    ] {
        for peer in ["envoy", "nginx", "haproxy"] {
            line(name, peer, ratio(report, case, "palisade-off", peer, cpu));
        }
    }
    let steady = ratio(report, cases::STEADY, "palisade-on", "palisade-off", p99);
    line("edge-p99-1000rps", "waf-off", steady);
    text
}

fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    let peers = |case: &'static str| PEERS.into_iter().map(move |peer| (case, peer.name()));
    CASES.into_iter().flat_map(move |case| peers(case.name))
}

fn row(text: &mut String, case: &str, peer: &str, samples: &[Sample]) {
    let median = |value: fn(&Sample) -> f64| median(samples.iter().map(value).collect());
    let _ = writeln!(
        text,
        "{case:<16} {peer:<19} {:>12.1} {:>9.0} {:>10.0} {:>10.0} {:>8.1}",
        median(|sample| sample.cpu.as_secs_f64() * 1e6),
        median(|sample| sample.rate),
        median(|sample| sample.p50.as_secs_f64() * 1e6),
        median(|sample| sample.p99.as_secs_f64() * 1e6),
        median(|sample| sample.memory as f64 / f64::from(1 << 20)),
    );
}

/// The median over the rounds of the ratio within each: what slows a whole round cancels out.
fn ratio(
    report: &Report,
    case: &'static str,
    over: &'static str,
    under: &'static str,
    value: fn(&Sample) -> f64,
) -> Option<f64> {
    let over = report.samples.get(&(case, over))?;
    let under = report.samples.get(&(case, under))?;
    let rounds = over.iter().zip(under);
    Some(median(
        rounds.map(|(over, under)| value(over) / value(under)).collect(),
    ))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn sample(cpu: u64) -> Sample {
        let cpu = Duration::from_micros(cpu);
        let (rate, p50, p99, memory) = (1.0, cpu, cpu, 1 << 20);
        Sample {
            cpu,
            rate,
            p50,
            p99,
            memory,
        }
    }

    #[test]
    fn ratios_are_of_rounds_and_missing_peers_are_said() {
        let mut report = Report::default();
        let mut put = |peer, cpu: [u64; 3]| {
            let samples = cpu.map(sample).to_vec();
            report.samples.insert((cases::GET, peer), samples);
        };
        put("palisade-on", [50, 100, 50]);
        put("envoy", [100, 200, 60]);
        report.missing.push(("haproxy", "not installed".to_owned()));
        let ratios = ratios(&report);
        assert!(
            ratios.contains("ratio edge-waf-on envoy-no-waf 0.50\n"),
            "{ratios}"
        );
        assert!(
            ratios.contains("missing ratio edge-waf-off haproxy\n"),
            "{ratios}"
        );
        assert!(table(&report).contains("missing haproxy: not installed\n"));
    }
}
