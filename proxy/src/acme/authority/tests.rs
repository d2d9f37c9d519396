use std::net::Ipv4Addr;

use super::super::challenge::TxtRecords;
use super::super::testing::Dns;
use super::*;

const HOME: Ipv4Addr = Ipv4Addr::LOCALHOST;
const NAME: &str = "_acme-challenge.example.com";
const SOON: Duration = Duration::from_millis(400);

fn asking(dns: &Dns) -> Authorities {
    Authorities {
        bootstrap: Bootstrap::Fixed(vec![dns.address]),
        port: dns.address.port(),
        patience: Duration::from_millis(300),
        pause: Duration::from_millis(50),
        ..Authorities::new(Vec::new())
    }
}

fn values(values: &[&str]) -> Vec<String> {
    values.iter().map(|&value| value.to_owned()).collect()
}

#[tokio::test]
async fn certificates_challenge_is_awaited_at_every_name_server() {
    let dns = Dns::start().await;
    let other = Dns::listen(&format!("127.0.0.2:{}", dns.address.port())).await;
    dns.zone("example.com", "ns1.example.com", HOME);
    dns.zone("example.com", "ns2.example.com", Ipv4Addr::new(127, 0, 0, 2));
    let wanted = values(&["one", "two"]);
    let asking = asking(&dns);

    dns.publish(NAME, &wanted).await.unwrap();
    other.publish(NAME, &values(&["one", "old"])).await.unwrap();
    let error = asking
        .await_txt(NAME, &wanted, SOON)
        .await
        .unwrap_err()
        .to_string();
    let expected = format!(
        "ns2.example.com ({}) lacks two (of 2 TXT records there)",
        other.address
    );
    assert!(error.ends_with(&expected), "{error}");

    let late = other.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        late.publish(NAME, &values(&["two"])).await.unwrap();
    });
    asking.await_txt(NAME, &wanted, SOON).await.unwrap();
}

#[tokio::test]
async fn certificates_silent_name_server_is_told() {
    let dns = Dns::start().await;
    dns.zone("example.com", "ns1.example.com", HOME);
    dns.zone("example.com", "ns2.example.com", Ipv4Addr::new(127, 0, 0, 3));
    dns.publish(NAME, &values(&["one"])).await.unwrap();
    let error = asking(&dns)
        .await_txt(NAME, &values(&["one"]), SOON)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("ns2.example.com (127.0.0.3:") && !error.contains("ns1"),
        "{error}"
    );
}

#[tokio::test]
async fn certificates_silent_address_of_a_server_that_answers_at_another_is_passed_over() {
    let dns = Dns::start().await;
    let other = Dns::listen(&format!("127.0.0.4:{}", dns.address.port())).await;
    for last in [1, 3, 4] {
        dns.zone("example.com", "ns1.example.com", Ipv4Addr::new(127, 0, 0, last));
    }
    let wanted = values(&["one"]);
    dns.publish(NAME, &wanted).await.unwrap();
    // One that answers and lacks it counts all the same.
    let error = asking(&dns).await_txt(NAME, &wanted, SOON).await.unwrap_err();
    let LookupError::Lacking { lacking, .. } = error else {
        panic!("{error}");
    };
    let lacking: Vec<_> = lacking.iter().map(|lack| lack.server.address).collect();
    assert_eq!(lacking, [other.address]);
    other.publish(NAME, &wanted).await.unwrap();
    asking(&dns).await_txt(NAME, &wanted, SOON).await.unwrap();
}

#[tokio::test]
async fn certificates_named_resolvers_are_asked_instead() {
    let (dns, resolver) = (Dns::start().await, Dns::start().await);
    resolver.publish(NAME, &values(&["one"])).await.unwrap();
    let asking = Authorities {
        instead: vec![resolver.address],
        ..asking(&dns)
    };
    asking.await_txt(NAME, &values(&["one"]), SOON).await.unwrap();
    let error = asking.await_txt(NAME, &values(&["two"]), SOON).await.unwrap_err();
    assert!(matches!(error, LookupError::Lacking { .. }), "{error}");
}

#[tokio::test]
async fn certificates_delegation_is_followed_to_its_end() {
    let dns = Dns::start().await;
    for zone in ["example.com", "example.net"] {
        dns.zone(zone, &format!("ns.{zone}"), HOME);
    }
    let asking = asking(&dns);
    assert_eq!(asking.final_name(NAME).await.unwrap(), NAME);
    dns.alias(NAME, "one.example.net");
    dns.alias("one.example.net", "two.example.net");
    assert_eq!(asking.final_name(NAME).await.unwrap(), "two.example.net");
    dns.alias("two.example.net", NAME);
    let error = asking.final_name(NAME).await.unwrap_err().to_string();
    assert!(
        error.contains("two.example.net -> _acme-challenge.example.com"),
        "{error}"
    );
}

#[tokio::test]
async fn certificates_delegation_that_never_ends_is_left() {
    let dns = Dns::start().await;
    dns.zone("example.net", "ns.example.net", HOME);
    for hop in 0..20 {
        dns.alias(
            &format!("n{hop}.example.net"),
            &format!("n{}.example.net", hop + 1),
        );
    }
    let error = asking(&dns).final_name("n0.example.net").await.unwrap_err();
    assert!(
        matches!(&error, LookupError::Loop(way) if way.len() == HOPS + 1),
        "{error}"
    );
}

#[tokio::test]
async fn certificates_name_without_a_zone_is_told() {
    let dns = Dns::start().await;
    let error = asking(&dns).final_name(NAME).await.unwrap_err().to_string();
    assert_eq!(error, format!("no name servers found for {NAME}"));
}

/// What is asked too early is remembered: the resolvers hear of the challenge's name only once it is there.
#[tokio::test]
async fn certificates_named_resolvers_are_not_asked_too_early() {
    let dns = Dns::start().await;
    dns.zone("example.com", "ns.example.com", HOME);
    dns.alias(NAME, "x.example.com");
    let resolver = Dns::start().await;
    resolver.zone("example.com", "ns.example.com", HOME);
    let asking = Authorities {
        instead: vec![resolver.address],
        ..asking(&dns)
    };
    assert_eq!(asking.final_name(NAME).await.unwrap(), "x.example.com");
    let asked = resolver.asked.lock().unwrap().clone();
    assert!(
        !asked.is_empty() && !asked.contains(&NAME.to_owned()),
        "{asked:?}"
    );
}
