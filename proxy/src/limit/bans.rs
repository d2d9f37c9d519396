//! Clients that are kept out for a time, because too much of what they sent was an attack.
//!
//! Times are seconds since 1970: a ban outlives the process. Both tables are bounded. Of too many suspects the one goes
//! that was quiet longest; of too many bans the one that ends first.

use std::collections::hash_map::{HashMap, RandomState};
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ClientKey;

/// Parts of the tables, each with a lock of its own.
const PARTS: usize = 16;

/// Suspects and bans of all clients.
#[derive(Debug)]
pub struct Bans {
    hasher: RandomState,
    parts: [Mutex<Part>; PARTS],
    /// Bans there are; while it is 0 no request pays for a look.
    count: AtomicUsize,
    changes: AtomicU64,
}

#[derive(Debug, Default)]
struct Part {
    /// When each had its last incidents.
    suspects: HashMap<ClientKey, Vec<u64>>,
    banned: HashMap<ClientKey, Ban>,
}

/// A client that is kept out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// From then,
    pub since: u64,
    /// until then.
    pub until: u64,
    /// The incident that was one too many, for `palisade incident`.
    pub incident: String,
}

/// When a client is banned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BanRules {
    /// So many incidents,
    pub incidents: usize,
    /// in so many seconds,
    pub window: u64,
    /// keep a client out for so many seconds.
    pub duration: u64,
    /// Bans at once, and suspects at once.
    pub capacity: usize,
}

impl Bans {
    /// Nobody is banned.
    pub fn new(hasher: RandomState) -> Self {
        Self {
            hasher,
            parts: Default::default(),
            count: AtomicUsize::new(0),
            changes: AtomicU64::new(0),
        }
    }

    /// Whether a client is kept out at `now`.
    pub fn holds(&self, client: IpAddr, now: u64) -> bool {
        if self.count.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let key = ClientKey::from(client);
        self.part(key).banned.get(&key).is_some_and(|ban| ban.until > now)
    }

    /// Counts an incident; `true` if it was one too many.
    pub fn incident(&self, client: IpAddr, rules: &BanRules, now: u64, id: &str) -> bool {
        let key = ClientKey::from(client);
        let room = (rules.capacity / PARTS).max(1);
        let mut part = self.part(key);
        part.make_room_for_suspect(key, room);
        let times = part.suspects.entry(key).or_default();
        times.retain(|time| time.saturating_add(rules.window) > now);
        times.push(now);
        if times.len() < rules.incidents {
            return false;
        }
        part.suspects.remove(&key);
        let ban = Ban {
            since: now,
            until: now.saturating_add(rules.duration),
            incident: id.to_owned(),
        };
        self.add(&mut part, key, ban, room);
        true
    }

    /// Bans as they were kept; those that are over by `now` are not.
    pub fn restore(&self, bans: impl IntoIterator<Item = (IpAddr, Ban)>, capacity: usize, now: u64) {
        for (client, ban) in bans {
            if ban.until > now {
                let key = ClientKey::from(client);
                self.add(&mut self.part(key), key, ban, (capacity / PARTS).max(1));
            }
        }
    }

    /// Lets a client in again; `false` if it was not banned.
    pub fn lift(&self, client: IpAddr) -> bool {
        let key = ClientKey::from(client);
        let mut part = self.part(key);
        part.suspects.remove(&key);
        let lifted = part.banned.remove(&key).is_some();
        if lifted {
            self.changed(0, 1);
        }
        lifted
    }

    /// The same, if it is this ban that holds.
    pub fn lift_this(&self, client: IpAddr, ban: &Ban) {
        let key = ClientKey::from(client);
        let mut part = self.part(key);
        if part.banned.get(&key) == Some(ban) {
            part.banned.remove(&key);
            self.changed(0, 1);
        }
    }

    /// The bans at `now`, the newest first; what is over is forgotten.
    pub fn list(&self, now: u64) -> Vec<(ClientKey, Ban)> {
        let mut all = Vec::new();
        for part in &self.parts {
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            let before = part.banned.len();
            part.banned.retain(|_, ban| ban.until > now);
            self.count
                .fetch_sub(before - part.banned.len(), Ordering::Relaxed);
            all.extend(part.banned.iter().map(|(key, ban)| (*key, ban.clone())));
        }
        all.sort_by(|(a, one), (b, other)| other.since.cmp(&one.since).then(a.cmp(b)));
        all
    }

    /// Counts up with each ban that comes or is lifted.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    fn add(&self, part: &mut Part, key: ClientKey, ban: Ban, room: usize) {
        let mut gone = 0;
        if part.banned.len() >= room && !part.banned.contains_key(&key) {
            let first = part
                .banned
                .iter()
                .min_by_key(|(_, ban)| ban.until)
                .map(|(key, _)| *key);
            gone = usize::from(first.and_then(|first| part.banned.remove(&first)).is_some());
        }
        let new = usize::from(part.banned.insert(key, ban).is_none());
        self.changed(new, gone);
    }

    fn changed(&self, new: usize, gone: usize) {
        self.count.fetch_add(new, Ordering::Relaxed);
        self.count.fetch_sub(gone, Ordering::Relaxed);
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    fn part(&self, key: ClientKey) -> MutexGuard<'_, Part> {
        let index = self.hasher.hash_one(key) as usize % PARTS;
        self.parts[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Part {
    fn make_room_for_suspect(&mut self, key: ClientKey, room: usize) {
        if self.suspects.len() < room || self.suspects.contains_key(&key) {
            return;
        }
        let last = |(_, times): &(&ClientKey, &Vec<u64>)| times.last().copied();
        if let Some(quiet) = self.suspects.iter().min_by_key(last).map(|(key, _)| *key) {
            self.suspects.remove(&quiet);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: BanRules = BanRules {
        incidents: 3,
        window: 60,
        duration: 600,
        capacity: 160,
    };

    fn address(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(number).into()
    }

    #[test]
    fn three_incidents_within_a_minute_ban_for_ten() {
        let bans = Bans::new(RandomState::new());
        let (client, neighbour): (IpAddr, IpAddr) =
            ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
        assert!(!bans.incident(client, &RULES, 1000, "a"));
        assert!(!bans.incident(client, &RULES, 1059, "b"));
        // The first is out of the window.
        assert!(!bans.incident(client, &RULES, 1061, "c"));
        assert!(!bans.holds(client, 1061));
        assert!(
            bans.incident(neighbour, &RULES, 1062, "d"),
            "the /64 is one client"
        );
        for (at, held) in [(1062, true), (1661, true), (1662, false)] {
            assert_eq!(bans.holds(client, at), held, "{at}");
        }
        assert!(!bans.holds(address(1), 1062));
        let ban = Ban {
            since: 1062,
            until: 1662,
            incident: "d".to_owned(),
        };
        assert_eq!(bans.list(1100), [(ClientKey::from(client), ban)]);
        assert!(bans.list(1662).is_empty());
    }

    #[test]
    fn a_ban_that_is_lifted_is_over_and_one_that_is_restored_goes_on() {
        let bans = Bans::new(RandomState::new());
        let rules = BanRules {
            incidents: 1,
            ..RULES
        };
        assert!(bans.incident(address(1), &rules, 1000, "a") && bans.incident(address(2), &rules, 1001, "b"));
        let kept: Vec<_> = bans
            .list(1001)
            .into_iter()
            .map(|(key, ban)| (key.address(), ban))
            .collect();
        let another = Ban {
            since: 7,
            ..kept[1].1.clone()
        };
        bans.lift_this(address(1), &another);
        assert!(bans.lift(address(1)) && !bans.lift(address(1)));
        assert!(!bans.holds(address(1), 1002) && bans.holds(address(2), 1002));
        let restored = Bans::new(RandomState::new());
        restored.restore(kept, 160, 1600);
        assert!(!restored.holds(address(1), 1600) && restored.holds(address(2), 1600));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whoever attacks: the tables keep their bound, and the count is what there is.
        #[test]
        fn tables_keep_their_bound(
            attacks in prop::collection::vec((0u32..400, 0u64..5), 0..2000), incidents in 1usize..4,
        ) {
            let bans = Bans::new(RandomState::new());
            let rules = BanRules { incidents, ..RULES };
            let mut now = 1000;
            for (client, pause) in attacks {
                now += pause;
                bans.incident(address(client), &rules, now, "id");
            }
            for part in &bans.parts {
                let part = part.lock().unwrap();
                prop_assert!(part.suspects.len() <= 10 && part.banned.len() <= 10);
            }
            let held = (0..400).filter(|client| bans.holds(address(*client), now)).count();
            prop_assert_eq!(bans.list(now).len(), held);
            prop_assert_eq!(bans.count.load(Ordering::Relaxed), held);
        }
    }
}
