use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

use super::*;
use crate::config::{Backend, Ejection, HashKey, Scheme, Sticky};

fn policy(balance: Balance) -> Balancing {
    Balancing {
        balance,
        sticky: None::<Sticky>,
        all_down: AllDown::Try,
        ejection: Ejection {
            connect_failures: 1,
            failures: 3,
            time: Duration::from_secs(5),
            max_time: Duration::from_secs(60),
            max_percent: 100,
            slow_start: Duration::ZERO,
        },
        resolving: crate::config::Resolving::default(),
        capacity: crate::config::Capacity {
            max_requests: None,
            queue: 1,
            queue_timeout: Duration::from_millis(100),
        },
        health: None,
    }
}

/// Backends at the ports 1, 2, ... with these weights.
fn backends(weights: &[u32]) -> Vec<WeightedBackend> {
    let backend = |(index, weight): (usize, &u32)| WeightedBackend {
        backend: Backend {
            scheme: Scheme::Http,
            host: "127.0.0.1".to_owned(),
            port: index as u16 + 1,
        },
        weight: *weight,
    };
    weights.iter().enumerate().map(backend).collect()
}

fn balancer(weights: &[u32], policy: &Balancing, now: Instant) -> Balancer {
    Balancer::new(&backends(weights), policy, None, None, &Arc::default(), now)
}

fn random() -> impl FnMut() -> u64 {
    let mut random = StdRng::seed_from_u64(3);
    move || random.next_u64()
}

fn port(picked: Result<Lease, NoBackend>) -> Option<u16> {
    picked.ok().map(|lease| lease.endpoint().address().port())
}

fn down(balancer: &Balancer, port: u16, now: Instant) {
    let endpoints = balancer.endpoints();
    let endpoint = endpoints
        .iter()
        .find(|endpoint| endpoint.address().port() == port)
        .unwrap();
    assert!(balancer.failed(endpoint, Failure::Connect, now));
}

fn addresses(ports: &[u16]) -> Vec<SocketAddr> {
    ports.iter().map(|port| ([127, 0, 0, 1], *port).into()).collect()
}

fn counted(balancer: &Balancer, now: Instant, count: usize) -> BTreeMap<u16, usize> {
    let (mut counted, mut random) = (BTreeMap::new(), random());
    for number in 0..count {
        let wish = Wish {
            key: Some(choice::key(&number.to_be_bytes())),
            ..Wish::default()
        };
        if let Some(port) = port(balancer.pick(&wish, now, &mut random)) {
            *counted.entry(port).or_default() += 1;
        }
    }
    counted
}

#[test]
fn every_way_keeps_to_the_weights() {
    let now = Instant::now();
    for balance in [
        Balance::RoundRobin,
        Balance::LeastRequests,
        Balance::Hash(HashKey::Address),
    ] {
        let counted = counted(&balancer(&[1, 3, 0], &policy(balance.clone()), now), now, 4_000);
        let near = |port, expected: usize| {
            let count = counted.get(&port).copied().unwrap_or_default();
            assert!(count.abs_diff(expected) <= 150, "{balance:?} {port}: {count}");
        };
        near(1, 1_000);
        near(2, 3_000);
        assert_eq!(counted.get(&3), None, "{balance:?}");
    }
}

#[test]
fn turns_are_exact() {
    let now = Instant::now();
    let balancer = balancer(&[2, 1], &policy(Balance::RoundRobin), now);
    let mut random = random();
    let mut turn = || port(balancer.pick(&Wish::default(), now, &mut random)).unwrap();
    assert_eq!([(); 6].map(|()| turn()), [1, 2, 1, 1, 2, 1]);
}

#[test]
fn one_that_is_down_has_no_requests_and_comes_back() {
    let now = Instant::now();
    for balance in [
        Balance::RoundRobin,
        Balance::LeastRequests,
        Balance::Hash(HashKey::Address),
    ] {
        let balancer = balancer(&[1, 1, 1], &policy(balance), now);
        down(&balancer, 2, now);
        let counts = counted(&balancer, now + Duration::from_secs(4), 300);
        assert_eq!(counts.get(&2), None, "{counts:?}");
        assert!(counts[&1] > 100 && counts[&3] > 100, "{counts:?}");
        let counts = counted(&balancer, now + Duration::from_secs(6), 300);
        assert!(counts[&2] > 60, "{counts:?}");
    }
}

#[test]
fn one_that_returns_gets_its_share_slowly() {
    let now = Instant::now();
    for balance in [
        Balance::RoundRobin,
        Balance::LeastRequests,
        Balance::Hash(HashKey::Address),
    ] {
        let mut policy = policy(balance);
        policy.ejection.slow_start = Duration::from_secs(10);
        let balancer = balancer(&[1, 1], &policy, now);
        down(&balancer, 2, now);
        let share = |seconds| counted(&balancer, now + Duration::from_secs(seconds), 2_000)[&2];
        assert!((50..350).contains(&share(5)), "{}", share(5));
        assert!((500..900).contains(&share(10)), "{}", share(10));
        assert!((900..1_100).contains(&share(20)), "{}", share(20));
    }
}

#[test]
fn who_was_tried_is_not_tried_again_and_one_that_is_down_is_better_than_none() {
    let now = Instant::now();
    let mut policy = policy(Balance::RoundRobin);
    let pick = |balancer: &Balancer, tried: &[u16]| {
        let tried = addresses(tried);
        let wish = Wish {
            tried: &tried,
            ..Wish::default()
        };
        balancer
            .pick(&wish, now, random())
            .map(|lease| lease.endpoint().address().port())
    };
    let tries = balancer(&[1, 1], &policy, now);
    assert_eq!(pick(&tries, &[1]), Ok(2));
    assert_eq!(pick(&tries, &[1, 2]), Err(NoBackend::Down));
    down(&tries, 2, now);
    assert_eq!(pick(&tries, &[1]), Ok(2));
    down(&tries, 1, now);
    assert!(pick(&tries, &[]).is_ok());

    policy.all_down = AllDown::Refuse;
    let refuses = balancer(&[1, 1], &policy, now);
    down(&refuses, 2, now);
    assert_eq!(pick(&refuses, &[]), Ok(1));
    assert_eq!(pick(&refuses, &[1]), Err(NoBackend::Down));
    down(&refuses, 1, now);
    assert_eq!(pick(&refuses, &[]), Err(NoBackend::Down));
}

#[test]
fn only_so_many_are_left_alone_at_once() {
    let now = Instant::now();
    let mut policy = policy(Balance::RoundRobin);
    policy.ejection.max_percent = 50;
    let balancer = balancer(&[1, 1, 1], &policy, now);
    down(&balancer, 1, now);
    let second = &balancer.endpoints()[1];
    assert!(!balancer.failed(second, Failure::Connect, now));
    assert!(second.is_up(now));
}

#[test]
fn requests_in_flight_are_counted_to_their_end() {
    let now = Instant::now();
    let balancer = balancer(&[1, 1], &policy(Balance::LeastRequests), now);
    let busy = |index: usize| balancer.endpoints()[index].in_flight();
    let mut random = random();
    // Two choices among two see all: they fill evenly.
    let leases: Vec<_> = (0..10)
        .map(|_| balancer.pick(&Wish::default(), now, &mut random).unwrap())
        .collect();
    assert_eq!((busy(0), busy(1)), (5, 5));
    drop(leases);
    assert_eq!((busy(0), busy(1)), (0, 0));
}

#[tokio::test]
async fn who_finds_all_busy_waits_in_a_line_that_ends() {
    let now = Instant::now();
    let mut policy = policy(Balance::RoundRobin);
    policy.capacity.max_requests = NonZeroUsize::new(1);
    policy.capacity.queue_timeout = Duration::from_secs(30);
    let balancer = Arc::new(balancer(&[1, 1], &policy, now));
    let wish = Wish::default();
    let first = balancer.lease(&wish).await.unwrap();
    let second = balancer.lease(&wish).await.unwrap();
    assert_ne!(first.endpoint().address(), second.endpoint().address());
    let waits = Arc::clone(&balancer);
    let third = tokio::spawn(async move { waits.lease(&Wish::default()).await });
    while balancer.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(balancer.lease(&wish).await.unwrap_err(), NoBackend::Full);
    let free = first.endpoint().address();
    drop(first);
    let third = third.await.unwrap().unwrap();
    assert_eq!(third.endpoint().address(), free);
    assert_eq!((balancer.waiting(), third.endpoint().in_flight()), (0, 1));
}

#[tokio::test]
async fn nobody_waits_for_ever_and_who_leaves_leaves_no_place() {
    let now = Instant::now();
    let mut policy = policy(Balance::LeastRequests);
    policy.capacity.max_requests = NonZeroUsize::new(1);
    let balancer = balancer(&[1], &policy, now);
    let wish = Wish::default();
    let held = balancer.lease(&wish).await.unwrap();
    assert_eq!(balancer.lease(&wish).await.unwrap_err(), NoBackend::Full);
    let left = tokio::time::timeout(Duration::from_millis(10), balancer.lease(&wish)).await;
    assert!(left.is_err());
    assert_eq!(balancer.waiting(), 0);
    drop(held);
    assert!(balancer.lease(&wish).await.is_ok());
}

#[test]
fn one_that_checks_find_down_has_no_requests() {
    let now = Instant::now();
    let balancer = balancer(&[1, 1], &policy(Balance::RoundRobin), now);
    let endpoint = balancer.endpoints().remove(0);
    endpoint.judge(super::super::endpoint::Verdict::Down, None, now);
    assert_eq!(counted(&balancer, now, 10), BTreeMap::from([(2, 10)]));
    endpoint.judge(super::super::endpoint::Verdict::Up, None, now);
    assert_eq!(counted(&balancer, now, 10), BTreeMap::from([(1, 5), (2, 5)]));
}

#[test]
fn a_key_stays_with_its_backend() {
    let now = Instant::now();
    let balancer = balancer(&[1, 1, 1, 1], &policy(Balance::Hash(HashKey::Address)), now);
    let of = |number: u64| {
        let wish = Wish {
            key: Some(choice::key(&number.to_be_bytes())),
            ..Wish::default()
        };
        port(balancer.pick(&wish, now, random())).unwrap()
    };
    let before: Vec<_> = (0..400).map(of).collect();
    assert_eq!(before, (0..400).map(of).collect::<Vec<_>>());
    down(&balancer, 3, now);
    let moved = (0..400)
        .filter(|number| of(*number) != before[*number as usize])
        .count();
    assert_eq!(moved, before.iter().filter(|port| **port == 3).count());
}

#[test]
fn a_client_goes_back_to_where_its_cookie_says() {
    let now = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let key = StickyKey::ensure(folder.path(), "app").unwrap();
    let policy = policy(Balance::RoundRobin);
    let balancer = Balancer::new(
        &backends(&[1, 1, 0]),
        &policy,
        Some(key.clone()),
        None,
        &Arc::default(),
        now,
    );
    let first = balancer.pick(&Wish::default(), now, random()).unwrap();
    let token = balancer.token(&first, None).unwrap();
    let back = |token: &Token| {
        let wish = Wish {
            cookie: Some(token.as_str()),
            ..Wish::default()
        };
        balancer.pick(&wish, now, random()).unwrap()
    };
    for _ in 0..5 {
        let lease = back(&token);
        assert_eq!(lease.endpoint().address(), first.endpoint().address());
        assert_eq!(balancer.token(&lease, Some(token.as_str())), None);
    }
    // Whoever was with one that has no weight any more stays.
    let drained = key.token(([127, 0, 0, 1], 3).into());
    assert_eq!(back(&drained).endpoint().address().port(), 3);
    // One that is down is left for another, and the client gets that one's cookie.
    down(&balancer, first.endpoint().address().port(), now);
    let other = back(&token);
    assert_ne!(other.endpoint().address(), first.endpoint().address());
    assert!(balancer.token(&other, Some(token.as_str())).is_some());
    // And nonsense is no cookie.
    let wish = Wish {
        cookie: Some("../../etc"),
        ..Wish::default()
    };
    assert!(balancer.pick(&wish, now, random()).is_ok());
}

#[test]
fn after_a_reload_what_is_known_of_unchanged_backends_stays() {
    let now = Instant::now();
    let policy = policy(Balance::RoundRobin);
    let before = balancer(&[1, 1], &policy, now);
    down(&before, 2, now);
    let lease = before.pick(&Wish::default(), now, random()).unwrap();
    let after = Balancer::new(
        &backends(&[3, 5, 1]),
        &policy,
        None,
        Some(&before),
        &Arc::default(),
        now,
    );
    let stands: Vec<_> = after
        .endpoints()
        .iter()
        .map(|endpoint| (endpoint.is_up(now), endpoint.in_flight()))
        .collect();
    assert_eq!(stands, [(true, 1), (false, 0), (true, 0)]);
    drop(lease);
    assert_eq!(after.endpoints()[0].in_flight(), 0);
}

#[tokio::test]
async fn all_addresses_of_a_name_are_used_and_followed() {
    let now = Instant::now();
    let named = WeightedBackend {
        backend: Backend {
            scheme: Scheme::Http,
            host: "app.internal".to_owned(),
            port: 80,
        },
        weight: 1,
    };
    let balancer = Balancer::new(
        &[named],
        &policy(Balance::RoundRobin),
        None,
        None,
        &Arc::default(),
        now,
    );
    assert_eq!(port(balancer.pick(&Wish::default(), now, random())), None);
    let known = tokio::time::timeout(Duration::from_millis(20), balancer.known());
    assert!(known.await.is_err(), "the first look-up is under way");
    let source = Arc::clone(balancer.sources().next().unwrap());
    for ports in [&[1, 2, 3][..], &[2, 4]] {
        source.learn(addresses(ports), now);
        balancer.gather();
        balancer.known().await;
        let counted = counted(&balancer, now, 12);
        assert_eq!(counted.keys().copied().collect::<Vec<_>>(), ports);
        assert!(
            counted.values().all(|count| *count == 12 / ports.len()),
            "{counted:?}"
        );
    }
}

/// A look-up tells its source first and its balancers then: a request in between waits for nothing more.
#[tokio::test]
async fn what_is_found_is_known_before_the_balancers_are_told() {
    let backends = [WeightedBackend {
        backend: Backend {
            scheme: Scheme::Http,
            host: "app.internal".to_owned(),
            port: 80,
        },
        weight: 1,
    }];
    let now = Instant::now();
    let policy = policy(Balance::RoundRobin);
    let balancer = Balancer::new(&backends, &policy, None, None, &Arc::default(), now);
    let source = balancer.sources().next().unwrap();
    source.learn(vec![([127, 0, 0, 1], 80).into()], now);
    balancer.known().await;
    assert!(balancer.pick(&Wish::default(), now, || 0).is_ok());
}

#[test]
fn turns_follow_new_shares_at_once() {
    // A turn in flight while the addresses of a name change stores the order of the old shares with the old pool.
    let now = Instant::now();
    let named = |host: &str, weight| WeightedBackend {
        backend: Backend {
            scheme: Scheme::Http,
            host: host.to_owned(),
            port: 80,
        },
        weight,
    };
    let backends = [named("one.internal", 1), named("two.internal", 1)];
    let balancer = Balancer::new(
        &backends,
        &policy(Balance::RoundRobin),
        None,
        None,
        &Arc::default(),
        now,
    );
    let sources: Vec<_> = balancer.sources().map(Arc::clone).collect();
    sources[0].learn(addresses(&[1]), now);
    sources[1].learn(addresses(&[2]), now);
    balancer.gather();
    let old = balancer.pool.load_full();
    sources[1].learn(addresses(&[2, 3]), now);
    sources[0].learn(addresses(&[1]), now);
    balancer.gather();
    old.schedule.store(Some(Arc::new(Schedule::new(
        &[1, 1],
        choice::Mask::default().with(0).with(1),
    ))));
    let counts = counted(&balancer, now, 400);
    assert_eq!(counts, BTreeMap::from([(1, 200), (2, 100), (3, 100)]));
}

/// Asks for a backend, and tells by number who got one.
fn queue_up(
    balancer: &Arc<Balancer>,
    number: usize,
    served: &tokio::sync::mpsc::UnboundedSender<(usize, Lease)>,
) -> tokio::task::JoinHandle<()> {
    let (balancer, served) = (Arc::clone(balancer), served.clone());
    tokio::spawn(async move {
        if let Ok(lease) = balancer.lease(&Wish::default()).await {
            let _ = served.send((number, lease));
        }
    })
}

async fn until_waiting(balancer: &Balancer, count: usize) {
    while balancer.waiting() != count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_came_first_is_served_first() {
    let mut policy = policy(Balance::LeastRequests);
    policy.capacity.max_requests = NonZeroUsize::new(1);
    policy.capacity.queue = 10;
    policy.capacity.queue_timeout = Duration::from_secs(3600);
    let balancer = Arc::new(balancer(&[1], &policy, Instant::now()));
    let held = balancer.lease(&Wish::default()).await.unwrap();
    let (sender, mut served) = tokio::sync::mpsc::unbounded_channel();
    let mut waiting = Vec::new();
    for number in 0..6 {
        waiting.push(queue_up(&balancer, number, &sender));
        until_waiting(&balancer, number + 1).await;
        // Long enough for everybody to have looked by itself.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    // One of them gives up.
    waiting[2].abort();
    until_waiting(&balancer, 5).await;
    drop(held);
    for expected in [0, 1, 3, 4, 5] {
        let (number, lease) = served.recv().await.unwrap();
        assert_eq!(number, expected);
        drop(lease);
    }
    assert_eq!(balancer.waiting(), 0);
}

#[tokio::test]
async fn one_that_looks_for_another_backend_holds_nobody_up() {
    let mut policy = policy(Balance::LeastRequests);
    policy.capacity.max_requests = NonZeroUsize::new(1);
    policy.capacity.queue = 10;
    policy.capacity.queue_timeout = Duration::from_secs(60);
    let balancer = Arc::new(balancer(&[1, 1], &policy, Instant::now()));
    let one = balancer.lease(&Wish::default()).await.unwrap();
    let two = balancer.lease(&Wish::default()).await.unwrap();
    let (first, second) = (one.endpoint().address(), two.endpoint().address());
    let retries = Arc::clone(&balancer);
    let retry = tokio::spawn(async move {
        let tried = [first];
        let wish = Wish {
            tried: &tried,
            ..Wish::default()
        };
        retries.lease(&wish).await.map(|lease| lease.endpoint().address())
    });
    until_waiting(&balancer, 1).await;
    let (sender, mut served) = tokio::sync::mpsc::unbounded_channel();
    queue_up(&balancer, 0, &sender);
    until_waiting(&balancer, 2).await;
    // What is freed is nothing for the one that was there already, and all that the other needs.
    drop(one);
    let (_, lease) = served.recv().await.unwrap();
    assert_eq!(lease.endpoint().address(), first);
    drop(two);
    assert_eq!(retry.await.unwrap(), Ok(second));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_line_nobody_is_turned_away_while_there_is_room() {
    let mut policy = policy(Balance::LeastRequests);
    policy.capacity.max_requests = NonZeroUsize::new(4);
    policy.capacity.queue = 0;
    let balancer = Arc::new(balancer(&[1, 1], &policy, Instant::now()));
    // Never more than there is room for, and never one too many.
    let room = Arc::new(tokio::sync::Semaphore::new(8));
    let asked = (0..4).map(|_| {
        let (balancer, room) = (Arc::clone(&balancer), Arc::clone(&room));
        tokio::spawn(async move {
            for _ in 0..5_000 {
                let permit = room.acquire().await.unwrap();
                let lease = balancer.lease(&Wish::default()).await;
                assert!(lease.is_ok(), "{lease:?}");
                drop(lease);
                drop(permit);
            }
        })
    });
    for asked in asked.collect::<Vec<_>>() {
        asked.await.unwrap();
    }
}

#[tokio::test]
async fn what_a_backend_can_bear_is_shared_by_all_who_ask_it() {
    let now = Instant::now();
    let mut policy = policy(Balance::RoundRobin);
    policy.capacity.max_requests = NonZeroUsize::new(1);
    policy.capacity.queue_timeout = Duration::from_secs(60);
    let hall = Arc::default();
    let of = || Balancer::new(&backends(&[1]), &policy, None, None, &hall, now);
    let (shop, office) = (Arc::new(of()), Arc::new(of()));
    let held = shop.lease(&Wish::default()).await.unwrap();
    assert!(office.pick(&Wish::default(), now, random()).is_err());
    let (sender, mut served) = tokio::sync::mpsc::unbounded_channel();
    queue_up(&office, 0, &sender);
    until_waiting(&office, 1).await;
    // Freed by one route, heard of by the other.
    drop(held);
    served.recv().await.unwrap();
}

#[test]
fn a_second_address_is_of_the_other_family_if_there_is_one() {
    let now = Instant::now();
    let named = WeightedBackend {
        backend: Backend {
            scheme: Scheme::Http,
            host: "app.internal".to_owned(),
            port: 80,
        },
        weight: 1,
    };
    let policy = policy(Balance::RoundRobin);
    let balancer = Balancer::new(&[named], &policy, None, None, &Arc::default(), now);
    let address = |text: &str| -> SocketAddr { text.parse().unwrap() };
    let (four, four_too, six) = (
        address("192.0.2.1:80"),
        address("192.0.2.2:80"),
        address("[2001:db8::1]:80"),
    );
    balancer
        .sources()
        .next()
        .unwrap()
        .learn(vec![four, four_too, six], now);
    balancer.gather();
    let lease_of = |tried: &[SocketAddr]| {
        let wish = Wish {
            tried,
            ..Wish::default()
        };
        balancer.pick(&wish, now, random()).unwrap()
    };
    let second = |first: &Lease, tried: &[SocketAddr]| {
        let race = balancer.race(first, tried, || now)?;
        Some(race.lease().endpoint().address())
    };
    let first = lease_of(&[four_too, six]);
    assert_eq!(first.endpoint().address(), four);
    assert_eq!(second(&first, &[]), Some(six));
    assert_eq!(second(&first, &[six]), Some(four_too));
    assert_eq!(second(&first, &[six, four_too]), None);
    // One that is left alone is no help.
    assert!(balancer.failed(&balancer.endpoints()[2], Failure::Connect, now));
    assert_eq!(second(&first, &[]), Some(four_too));
    // An address that stands in the configuration has no others.
    let literal = self::balancer(&[1, 1], &policy, now);
    let first = literal.pick(&Wish::default(), now, random()).unwrap();
    assert!(literal.race(&first, &[], || now).is_none());
}
