//! Tables of texts.

use super::*;

const BEFORE: &str = r#"# HELP edge_requests Requests.
# TYPE edge_requests counter
edge_requests_total{route="app",code="200"} 7
edge_requests_total{route="gone",code="200"} 3
# HELP edge_seconds Seconds.
# TYPE edge_seconds histogram
edge_seconds_sum{route="app"} 1.5
edge_seconds_count{route="app"} 7
edge_seconds_bucket{le="0.1",route="app"} 4
edge_seconds_bucket{le="0.3",route="app"} 6
edge_seconds_bucket{le="+Inf",route="app"} 7
# HELP edge_open Open now.
# TYPE edge_open gauge
edge_open 12
# HELP edge_old No more.
# TYPE edge_old counter
edge_old_total 1
# HELP edge_turned Once a counter.
# TYPE edge_turned counter
edge_turned_total 9
# EOF
"#;

const NOW: &str = r#"# HELP edge_requests Requests, better said.
# TYPE edge_requests counter
edge_requests_total{code="200",route="app"} 2
# HELP edge_seconds Seconds.
# TYPE edge_seconds histogram
edge_seconds_sum{route="app"} 0.25
edge_seconds_count{route="app"} 2
edge_seconds_bucket{le="0.1",route="app"} 1
edge_seconds_bucket{le="0.2",route="app"} 2
edge_seconds_bucket{le="+Inf",route="app"} 2
# HELP edge_open Open now.
# TYPE edge_open gauge
edge_open 1
# HELP edge_turned Now a gauge.
# TYPE edge_turned gauge
edge_turned 4
# EOF
"#;

const WOVEN: &str = r#"# HELP edge_requests Requests, better said.
# TYPE edge_requests counter
edge_requests_total{code="200",route="app"} 9
edge_requests_total{route="gone",code="200"} 3
# HELP edge_seconds Seconds.
# TYPE edge_seconds histogram
edge_seconds_sum{route="app"} 1.75
edge_seconds_count{route="app"} 9
edge_seconds_bucket{le="0.1",route="app"} 5
edge_seconds_bucket{le="0.2",route="app"} 6
edge_seconds_bucket{le="+Inf",route="app"} 9
# HELP edge_open Open now.
# TYPE edge_open gauge
edge_open 1
# HELP edge_turned Now a gauge.
# TYPE edge_turned gauge
edge_turned 4
# HELP edge_old No more.
# TYPE edge_old counter
edge_old_total 1
# EOF
"#;

fn read(text: &str) -> Counts {
    let (counts, unread) = Counts::read(text);
    assert_eq!(unread, 0, "{text}");
    counts
}

/// A histogram of one series.
fn histogram(sum: &str, count: u64, buckets: &[(&str, u64)]) -> Counts {
    let mut text = format!("# TYPE s histogram\ns_sum {sum}\ns_count {count}\n");
    for (bound, count) in buckets {
        text += &format!("s_bucket{{le=\"{bound}\"}} {count}\n");
    }
    read(&text)
}

#[test]
fn what_was_counted_before_is_added_series_by_series() {
    assert_eq!(read(BEFORE).woven_into(NOW), WOVEN);
}

#[test]
fn gauges_are_no_counts() {
    let counts = read(BEFORE);
    assert!(!counts.text().contains("edge_open"));
    assert_eq!(counts.len(), 5);
}

#[test]
fn nothing_before_changes_nothing() {
    assert_eq!(Counts::default().woven_into(NOW), NOW);
}

#[test]
fn counts_come_back_from_their_text_to_the_bit() {
    let counts = read(BEFORE);
    assert_eq!(read(&counts.text()), counts);
    for sum in ["0.1", "1234567.000000001", "0.000000003", "3", "1e21", "5e-324"] {
        let counts = histogram(sum, 1, &[("+Inf", 1)]);
        assert_eq!(read(&counts.text()), counts, "{sum}");
    }
}

#[test]
fn what_was_handed_over_and_what_was_counted_since_are_all() {
    let (before, now) = (read(BEFORE), read(&read(NOW).woven_into(BEFORE)));
    let since = now.since(&before);
    let text = "\
# HELP edge_requests Requests.
# TYPE edge_requests counter
edge_requests_total{route=\"app\",code=\"200\"} 2
# HELP edge_seconds Seconds.
# TYPE edge_seconds histogram
edge_seconds_sum{route=\"app\"} 0.25
edge_seconds_count{route=\"app\"} 2
edge_seconds_bucket{le=\"0.1\",route=\"app\"} 1
edge_seconds_bucket{le=\"0.3\",route=\"app\"} 2
edge_seconds_bucket{le=\"+Inf\",route=\"app\"} 2
";
    assert_eq!(since.text(), text);
    let mut sum = before.clone();
    assert_eq!(sum.add(&since), 0);
    assert_eq!(sum, now);
    assert!(now.since(&now).is_empty());
}

#[test]
fn buckets_of_another_version_are_carried_up_to_a_bound_that_is_known() {
    let old = histogram("9", 10, &[("0.1", 2), ("0.3", 5), ("1", 9), ("+Inf", 10)]);
    let own = [
        ("0.05", 0),
        ("0.1", 0),
        ("0.2", 0),
        ("0.5", 0),
        ("2", 0),
        ("+Inf", 0),
    ];
    let mut sum = histogram("0", 0, &own);
    assert_eq!(sum.add(&old), 0);
    let buckets = [
        ("0.05", 0),
        ("0.1", 2),
        ("0.2", 2),
        ("0.5", 5),
        ("2", 9),
        ("+Inf", 10),
    ];
    assert_eq!(sum, histogram("9", 10, &buckets));
}

#[test]
fn lines_that_mean_nothing_are_left_out_and_counted() {
    let text = "# TYPE a counter\na_total 1\na_total{b=\"x} 2\na_total{b=\"y\"} -1\na_total{b=\"z\"} many\n\
        # TYPE h histogram\nh_sum NaN\nh_bucket{le=\"wide\"} 1\nh_bucket 1\nh_created 5\nh_count 1\n";
    let (counts, unread) = Counts::read(text);
    assert_eq!(unread, 6);
    assert_eq!(
        counts
            .text()
            .lines()
            .filter(|line| !line.starts_with('#'))
            .count(),
        3
    );
}

#[test]
fn labels_are_told_apart_as_they_are_escaped() {
    let text = |value: &str| format!("# TYPE a counter\na_total{{x=\"{value}\",b=\"\"}} 1\n");
    let values = ["", "a,b", "a\\\"b", "}", "a\\\\", "a=\\\"b\\\",c", "ö"];
    let mut all = Counts::default();
    for value in values {
        assert_eq!(all.add(&read(&text(value))), 0);
    }
    assert_eq!(all.len(), values.len());
    assert_eq!(read(&all.text()), all);
    let woven = all.woven_into(&format!("{}# EOF\n", text("a\\\"b")));
    assert!(woven.contains("a_total{x=\"a\\\"b\",b=\"\"} 2\n"), "{woven}");
}

#[test]
fn there_is_an_end_to_series() {
    let many = |prefix: &str, count: usize| {
        let lines: String = (0..count)
            .map(|number| format!("a_total{{n=\"{prefix}{number}\"}} 1\n"))
            .collect();
        read(&format!("# TYPE a counter\n{lines}"))
    };
    let mut counts = many("x", MOST_SERIES - 1);
    assert_eq!(counts.add(&many("y", 3)), 2);
    assert_eq!(counts.add(&many("x", 5)), 0, "what is there goes on");
    assert_eq!(counts.len(), MOST_SERIES);
}
