//! A pattern matched from the places where a match may start, and read no further than it may go on.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

use regex_automata::hybrid::dfa::{Cache, Config, DFA};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::pool::Pool;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};

use crate::prefilter::Places;

/// Bytes of one pattern's automaton, beyond which the pattern is left to the `regex` crate alone: the CRS's largest
/// takes 240 kB.
const AUTOMATON_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of what a thread has worked out of it, or what some states of a larger automaton take. Beyond it begins anew, and
/// while that happens again and again, as with values made for it, the pattern is left to the `regex` crate.
const CACHED_BYTES: usize = 256 * 1024;

/// The states of a pattern, worked out as they are needed.
pub(super) struct FromStarts {
    automaton: DFA,
    caches: Pool<Cache, Box<dyn Fn() -> Cache + Send + Sync + UnwindSafe + RefUnwindSafe>>,
}

impl FromStarts {
    /// Of a pattern as the `regex` crate takes it; `None` if it is too large.
    pub(super) fn of(pattern: &str) -> Option<Self> {
        let automaton = DFA::builder()
            .syntax(
                syntax::Config::new()
                    .unicode(false)
                    .utf8(false)
                    .dot_matches_new_line(true),
            )
            .thompson(
                thompson::Config::new()
                    .utf8(false)
                    .which_captures(WhichCaptures::None)
                    .nfa_size_limit(Some(AUTOMATON_BYTES)),
            )
            .configure(
                Config::new()
                    .match_kind(MatchKind::All)
                    .cache_capacity(CACHED_BYTES)
                    .skip_cache_capacity_check(true)
                    .minimum_cache_clear_count(Some(2))
                    .minimum_bytes_per_state(Some(8)),
            )
            .build(pattern)
            .ok()?;
        let its = automaton.clone();
        Some(Self {
            automaton,
            caches: Pool::new(Box::new(move || its.create_cache())),
        })
    }

    /// Whether the pattern matches anywhere, `places` being all where a match may start; `None` where asking the
    /// `regex` crate costs less, which reads each byte once.
    pub(super) fn matches(&self, value: &[u8], places: Places<'_>) -> Option<bool> {
        let cache = &mut *self.caches.get();
        let mut left = value.len();
        for place in places.iter() {
            let before = left;
            // What was read, by which the cache decides whether it is worth to begin anew.
            cache.search_start(place);
            let matches = self.matches_at(value, place, cache, &mut left);
            cache.search_finish(place + (before - left));
            if matches? {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Whether it matches at a place; reads at most as many bytes as are `left`.
    fn matches_at(&self, value: &[u8], place: usize, cache: &mut Cache, left: &mut usize) -> Option<bool> {
        let input = Input::new(value).range(place..).anchored(Anchored::Yes);
        let mut state = self.automaton.start_state_forward(cache, &input).ok()?;
        for byte in &value[place..] {
            *left = left.checked_sub(1)?;
            state = self.automaton.next_state(cache, state, *byte).ok()?;
            if state.is_tagged() {
                if state.is_match() {
                    return Some(true);
                }
                if state.is_dead() {
                    return Some(false);
                }
                if state.is_quit() {
                    return None;
                }
            }
        }
        let state = self.automaton.next_eoi_state(cache, state).ok()?;
        Some(state.is_match())
    }
}

impl fmt::Debug for FromStarts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromStarts").finish_non_exhaustive()
    }
}
