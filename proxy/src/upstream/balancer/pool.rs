//! The members of a balancer and one choice among them.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwapOption;

use super::Wish;
use crate::upstream::choice::{Mask, Schedule};
use crate::upstream::endpoint::{Endpoint, Lease};
use crate::upstream::sticky::Token;

/// Every address of every backend that has a weight.
#[derive(Debug, Default)]
pub(super) struct Pool {
    pub(super) members: Box<[Member]>,
    pub(super) shares: Box<[u32]>,
    /// The order of turns among those that were up last. It is of these shares and of no others.
    pub(super) schedule: ArcSwapOption<Schedule>,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) endpoint: Arc<Endpoint>,
    /// As the backend's weight says, shared by its addresses.
    pub(super) share: f64,
    pub(super) token: Option<Token>,
}

/// How far down a request has to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Among {
    /// Those that are up.
    Up,
    /// All, as none is.
    All,
}

/// One choice: among whom, for whom.
pub(super) struct Choice<'a> {
    pub(super) pool: &'a Pool,
    pub(super) wish: &'a Wish<'a>,
    pub(super) now: Instant,
    pub(super) among: Among,
    pub(super) most: Option<NonZeroUsize>,
}

impl Choice<'_> {
    pub(super) fn member(&self, index: usize) -> Option<&Member> {
        self.pool.members.get(index)
    }

    /// Those that may be chosen, with their indices.
    pub(super) fn candidates(&self) -> impl Iterator<Item = (usize, &Member)> + Clone {
        let members = self.pool.members.iter().enumerate();
        members.filter(|(_, member)| member.share > 0.0 && self.fits(member))
    }

    pub(super) fn is_usable(&self, index: usize) -> bool {
        self.member(index).is_some_and(|member| self.fits(member))
    }

    fn fits(&self, member: &Member) -> bool {
        self.is_open(member) && member.endpoint.has_room(self.most)
    }

    /// Whether it could be chosen if it had room.
    fn is_open(&self, member: &Member) -> bool {
        self.is_among(member) && !self.wish.tried.contains(&member.endpoint.address())
    }

    /// Whether nothing but room is wanting.
    pub(super) fn is_full(&self) -> bool {
        let mut members = self.pool.members.iter();
        self.most.is_some() && members.any(|member| member.share > 0.0 && self.is_open(member))
    }

    pub(super) fn lease(&self, index: usize) -> Option<Lease> {
        Lease::take(&self.member(index)?.endpoint, self.most)
    }

    fn is_among(&self, member: &Member) -> bool {
        self.among == Among::All || member.endpoint.is_up(self.now)
    }

    /// Who has turns at all, tried or not: the order stays the same for one request that looks for another.
    pub(super) fn mask(&self) -> Mask {
        let members = self.pool.members.iter().enumerate();
        let among = members.filter(|(_, member)| self.is_among(member));
        among.fold(Mask::default(), |mask, (index, _)| mask.with(index))
    }

    /// The member that the client's cookie names. One without a weight keeps its clients: that is how it is drained.
    pub(super) fn sticky(&self) -> Option<usize> {
        let cookie = self.wish.cookie?;
        let mut members = self.pool.members.iter().enumerate();
        let named = |member: &Member| {
            member
                .token
                .as_ref()
                .is_some_and(|token| token.as_str() == cookie)
        };
        let (index, _) = members.find(|(_, member)| named(member) && self.fits(member))?;
        Some(index)
    }
}
