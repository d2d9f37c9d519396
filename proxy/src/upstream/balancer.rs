//! The backends of one route and the choice among them. Pure: the time and chance are arguments.

mod pool;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arc_swap::{ArcSwap, ArcSwapOption};
use pool::{Among, Choice, Member, Pool};
use tokio::sync::watch;

use super::budget::RetryBudget;
use super::choice::{self, Schedule};
use super::endpoint::{Endpoint, Lease};
use super::line::Line;
use super::race::Race;
use super::record::Failure;
use super::seats::Hall;
use super::source::Source;
use super::sticky::{StickyKey, Token};
use crate::config::{AllDown, Balance, Balancing, WeightedBackend};

/// The backends of one route.
#[derive(Debug)]
pub struct Balancer {
    policy: Balancing,
    sources: Box<[(Arc<Source>, u32)]>,
    sticky: Option<StickyKey>,
    pool: ArcSwap<Pool>,
    /// Whoever gathers last has seen the latest, and nobody stores what was true before.
    gathering: Mutex<()>,
    turn: AtomicUsize,
    line: Arc<Line>,
    budget: Arc<RetryBudget>,
    /// Counts up whenever a look-up has ended.
    looked: watch::Sender<u64>,
}

/// What a request asks of the choice.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish<'a> {
    /// Requests with the same key go to the same backend.
    pub key: Option<u64>,
    /// The edge's cookie, as the client sent it.
    pub cookie: Option<&'a str>,
    /// Where it failed already.
    pub tried: &'a [SocketAddr],
}

/// Why there is no backend for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoBackend {
    /// Names lead nowhere.
    #[error("no address of a backend is known")]
    Unknown,
    /// All are down, or were tried.
    #[error("no backend could be reached")]
    Down,
    /// Those that are up have as many requests as they may, and so has the line.
    #[error("all backends are busy, and too many requests wait already")]
    Full,
}

impl Balancer {
    /// A balancer that takes over what `known` knows of the same backends. Those of one hall share what their backends
    /// can bear.
    pub fn new(
        backends: &[WeightedBackend],
        policy: &Balancing,
        sticky: Option<StickyKey>,
        known: Option<&Self>,
        hall: &Arc<Hall>,
        now: Instant,
    ) -> Self {
        let line = known.map_or_else(Arc::default, |known| Arc::clone(&known.line));
        let budget = known.map_or_else(Arc::default, |known| Arc::clone(&known.budget));
        let source = |weighted: &WeightedBackend| {
            let known = known.into_iter().flat_map(Self::sources);
            let source = known
                .filter(|source| *source.backend() == weighted.backend)
                .map(Arc::clone)
                .next();
            let source = source.unwrap_or_else(|| Arc::new(Source::new(&weighted.backend, hall, now)));
            (source, weighted.weight)
        };
        let balancer = Self {
            policy: policy.clone(),
            sources: backends.iter().map(source).collect(),
            sticky,
            pool: ArcSwap::default(),
            gathering: Mutex::default(),
            turn: AtomicUsize::new(0),
            line,
            budget,
            looked: watch::Sender::new(0),
        };
        balancer.gather();
        balancer
    }

    /// How it chooses.
    pub fn policy(&self) -> &Balancing {
        &self.policy
    }

    /// The backends, in the order of the configuration.
    pub fn sources(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.sources.iter().map(|(source, _)| source)
    }

    /// What may be tried again.
    pub fn budget(&self) -> &RetryBudget {
        &self.budget
    }

    /// Requests that wait for a backend.
    pub fn waiting(&self) -> usize {
        self.line.waiting()
    }

    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// Whether this is one of the backends.
    pub(super) fn uses(&self, source: &Arc<Source>) -> bool {
        self.sources().any(|own| Arc::ptr_eq(own, source))
    }

    /// Every address of every backend.
    pub fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        let endpoints = self.sources().flat_map(|source| source.endpoints().to_vec());
        endpoints.collect()
    }

    /// A look-up has ended: the addresses of today are those that requests go to.
    pub(crate) fn gather(&self) {
        let _one_at_a_time = self.gathering.lock().unwrap_or_else(PoisonError::into_inner);
        let found: Vec<_> = self
            .sources
            .iter()
            .map(|(source, weight)| (source.endpoints(), *weight))
            .collect();
        let weights: Vec<_> = found
            .iter()
            .map(|(endpoints, weight)| (*weight, endpoints.len()))
            .collect();
        let endpoints = found.iter().flat_map(|(endpoints, weight)| {
            let share = f64::from(*weight) / endpoints.len().max(1) as f64;
            endpoints.iter().map(move |endpoint| (endpoint, share))
        });
        let members = endpoints.map(|(endpoint, share)| Member {
            endpoint: Arc::clone(endpoint),
            share,
            token: self.sticky.as_ref().map(|key| key.token(endpoint.address())),
        });
        self.pool.store(Arc::new(Pool {
            members: members.collect(),
            shares: choice::shares(&weights).into(),
            schedule: ArcSwapOption::empty(),
        }));
        self.looked.send_modify(|count| *count += 1);
    }

    /// Waits until an address is known, or no look-up is under way any more.
    pub async fn known(&self) {
        let mut looked = self.looked.subscribe();
        let settled = |_: &u64| {
            !self.pool.load().members.is_empty() || !self.sources().any(|source| source.is_unknown())
        };
        let _ = looked.wait_for(settled).await;
        let found = || self.sources().any(|source| !source.endpoints().is_empty());
        if self.pool.load().members.is_empty() && found() {
            // Whoever found them is about to do the same.
            self.gather();
        }
    }

    /// The backend for a request. `random` gives 64 random bits.
    pub fn pick(
        &self,
        wish: &Wish<'_>,
        now: Instant,
        mut random: impl FnMut() -> u64,
    ) -> Result<Lease, NoBackend> {
        let pool = self.pool.load();
        if pool.members.is_empty() {
            return Err(NoBackend::Unknown);
        }
        let most = self.policy.capacity.max_requests;
        let up = Choice {
            pool: &pool,
            wish,
            now,
            among: Among::Up,
            most,
        };
        if let Some(lease) = up.sticky().and_then(|index| up.lease(index)) {
            return Ok(lease);
        }
        if let Some(lease) = self.lease_of(&up, &mut random) {
            return Ok(lease);
        }
        if up.is_full() {
            return Err(NoBackend::Full);
        }
        if self.policy.all_down == AllDown::Refuse {
            return Err(NoBackend::Down);
        }
        // Rather one that is down than none: a route with one backend recovers with its first request.
        let all = Choice {
            among: Among::All,
            ..up
        };
        self.lease_of(&all, &mut random).ok_or(match all.is_full() {
            true => NoBackend::Full,
            false => NoBackend::Down,
        })
    }

    /// Another address of the same backend, for a connection that the first does not take: of the other family if there
    /// is one, as a network may lose one of them altogether.
    pub fn race(
        &self,
        lease: &Lease,
        tried: &[SocketAddr],
        now: impl FnOnce() -> Instant,
    ) -> Option<Arc<Race>> {
        let first = lease.endpoint();
        if !first.is_named() {
            return None;
        }
        let now = now();
        let pool = self.pool.load();
        let most = self.policy.capacity.max_requests;
        let fits = |other: &&Member| {
            let endpoint = &other.endpoint;
            other.share > 0.0
                && endpoint.is_sibling_of(first)
                && endpoint.is_up(now)
                && endpoint.has_room(most)
                && !tried.contains(&endpoint.address())
        };
        let same_family = |other: &&Member| other.endpoint.address().is_ipv4() == first.address().is_ipv4();
        let other = pool.members.iter().filter(fits).min_by_key(same_family)?;
        Some(Arc::new(Race::new(Arc::clone(&other.endpoint))))
    }

    /// What the client of a request at this endpoint is to send back; `None` where it does, or clients do not stick.
    pub fn token(&self, lease: &Lease, cookie: Option<&str>) -> Option<Token> {
        let key = self.sticky.as_ref()?;
        let token = key.token(lease.endpoint().address());
        (cookie != Some(token.as_str())).then_some(token)
    }

    /// Counts a failure of an endpoint; true if it is left alone from now on.
    pub fn failed(&self, endpoint: &Endpoint, failure: Failure, now: Instant) -> bool {
        let policy = &self.policy.ejection;
        endpoint.failed(failure, policy, now, || {
            let pool = self.pool.load();
            let out = pool
                .members
                .iter()
                .filter(|member| !member.endpoint.is_up(now))
                .count();
            (out + 1) * 100 <= usize::from(policy.max_percent) * pool.members.len()
        })
    }

    /// An endpoint gave a good answer.
    pub fn succeeded(&self, endpoint: &Endpoint, now: Instant) {
        endpoint.succeeded(&self.policy.ejection, now);
    }

    /// Whether there is another endpoint than those.
    pub fn has_other_than(&self, tried: &[SocketAddr]) -> bool {
        let pool = self.pool.load();
        let mut members = pool.members.iter().filter(|member| member.share > 0.0);
        members.any(|member| !tried.contains(&member.endpoint.address()))
    }

    /// Of one that others fill between the choice and the lease, the choice is made anew: it is full now.
    fn lease_of(&self, choice: &Choice<'_>, random: &mut impl FnMut() -> u64) -> Option<Lease> {
        loop {
            let chosen = self.choose(choice, random)?;
            if let Some(lease) = choice.lease(chosen) {
                return Some(lease);
            }
        }
    }

    fn choose(&self, choice: &Choice<'_>, random: &mut impl FnMut() -> u64) -> Option<usize> {
        match (&self.policy.balance, choice.wish.key) {
            // One is what most routes have.
            _ if choice.pool.members.len() == 1 => choice.candidates().next().map(|(index, _)| index),
            (Balance::LeastRequests, _) => self.least(choice, random),
            (Balance::Hash(_), Some(key)) => self.hashed(choice, key),
            (Balance::RoundRobin | Balance::Hash(_), _) => self.in_turn(choice, random),
        }
    }

    fn in_turn(&self, choice: &Choice<'_>, random: &mut impl FnMut() -> u64) -> Option<usize> {
        let mask = choice.mask();
        let known = choice.pool.schedule.load();
        if let Some(schedule) = known.as_ref().filter(|schedule| schedule.is_of(mask)) {
            return self.walk(schedule, choice, random);
        }
        let schedule = Arc::new(Schedule::new(&choice.pool.shares, mask));
        choice.pool.schedule.store(Some(Arc::clone(&schedule)));
        self.walk(&schedule, choice, random)
    }

    fn walk(
        &self,
        schedule: &Schedule,
        choice: &Choice<'_>,
        random: &mut impl FnMut() -> u64,
    ) -> Option<usize> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let usable = |index: &usize| choice.is_usable(*index);
        let has_turn = |index: &usize| {
            let ramp = choice
                .member(*index)
                .map_or(1.0, |member| self.ramp(member, choice));
            // Of one that returns, chance leaves out turns.
            ramp >= 1.0 || ((random() >> 11) as f64) < ramp * (1_u64 << 53) as f64
        };
        let chosen = schedule.from(turn).filter(usable).find(has_turn);
        chosen.or_else(|| schedule.from(turn).find(usable))
    }

    fn ramp(&self, member: &Member, choice: &Choice<'_>) -> f64 {
        member.endpoint.ramp(&self.policy.ejection, choice.now)
    }

    fn least(&self, choice: &Choice<'_>, random: &mut impl FnMut() -> u64) -> Option<usize> {
        let candidates = choice.candidates().map(|(index, member)| choice::Busy {
            index,
            weight: member.share * self.ramp(member, choice),
            busy: member.endpoint.in_flight(),
        });
        choice::least_of_two(candidates, random)
    }

    fn hashed(&self, choice: &Choice<'_>, key: u64) -> Option<usize> {
        let candidates = choice.candidates().map(|(index, member)| choice::Seeded {
            index,
            weight: member.share * self.ramp(member, choice),
            seed: member.endpoint.seed(),
        });
        choice::highest(candidates, key)
    }
}

#[cfg(test)]
mod tests;
