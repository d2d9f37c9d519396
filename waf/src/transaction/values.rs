//! The values that targets mean: whole variables, selections of their members, and lists of selections.

use std::ops::{ControlFlow, Range};
use std::sync::LazyLock;

use crate::plan::{ByOrigin, Index, ListId, SelectionId};
use crate::rule::{Selector, Target};
use crate::variables::{Origin, Variable, admits, visit_fact};

use super::Facts;
use super::buffers::Buffers;
use super::distinct::BufferId;
use super::lasting::{Lasting, lasts};

/// The values of a request, looked up when they are first asked for. The buffers stay over all phases.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) buffers: Buffers,
    pub(super) lasting: Lasting,
    /// Whole variables, selections and lists, one behind the other.
    values: Vec<Value>,
    /// What transformations care about of each of them; nothing of lasting values, which are not transformed to be
    /// scanned.
    traits: Vec<u64>,
    variables: Vec<Option<Part>>,
    selections: Vec<Option<Part>>,
    lists: Vec<Option<Part>>,
}

/// A value: it passes with its transaction, or lasts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    Passing(BufferId),
    Lasting(BufferId),
}

/// Some of the values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    start: u32,
    end: u32,
    /// What transformations care about of any of them.
    pub(super) traits: u64,
}

/// All variables.
static VARIABLES: LazyLock<ByOrigin> =
    LazyLock::new(|| ByOrigin::new(Variable::ALL.iter().map(|variable| variable.origin())));

impl Part {
    pub(super) fn length(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Where its values stand.
    pub(super) fn places(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl Values {
    /// Forgets the transaction's values; what is known of those that come again stays.
    pub(super) fn clear(&mut self) {
        self.buffers.clear();
        self.lasting.shrink();
        self.values.clear();
        self.traits.clear();
    }

    /// Forgets what depends on facts that have come since the phase before.
    pub(super) fn begin_phase(&mut self, changed: Origin, index: &Index) {
        if changed == Origin::Head {
            self.values.clear();
            self.traits.clear();
        }
        VARIABLES.forget(&mut self.variables, changed, None);
        let origins = index.origins();
        origins.selections.forget(&mut self.selections, changed, None);
        origins.lists.forget(&mut self.lists, changed, None);
    }

    /// Bytes of memory that are held.
    pub(super) fn held(&self) -> usize {
        self.buffers.held()
            + self.lasting.held()
            + size_of_val(&self.values[..])
            + size_of_val(&self.traits[..])
    }

    pub(super) fn at(&self, place: usize) -> Value {
        self.values[place]
    }

    pub(super) fn of(&self, part: Part) -> &[Value] {
        &self.values[part.places()]
    }

    /// The first of these places with a value that passes and that transformations that care about these traits may
    /// change, and the value.
    #[inline]
    pub(super) fn touched(&self, places: Range<usize>, cares: u64) -> Option<(usize, BufferId)> {
        // Values that last have no traits.
        let traits = self.traits[places.clone()].iter();
        let mut touched = traits.zip(places).filter(|(traits, _)| *traits & cares != 0);
        touched.find_map(|(_, place)| match self.values[place] {
            Value::Passing(value) => Some((place, value)),
            Value::Lasting(_) => None,
        })
    }

    /// What a lasting value may match.
    pub(super) fn open(&self, value: Value) -> Option<&[u64]> {
        match value {
            Value::Lasting(value) => Some(self.lasting.open(value)),
            Value::Passing(_) => None,
        }
    }

    /// The value as one that passes.
    pub(super) fn passing(&mut self, value: Value, index: &Index) -> BufferId {
        match value {
            Value::Lasting(value) => self.buffers.intern(self.lasting.bytes(value), false, index),
            Value::Passing(value) => value,
        }
    }

    pub(super) fn is_selected(&self, selection: SelectionId) -> bool {
        self.selections[selection].is_some()
    }

    /// The value of this place in a selection, which was looked up before.
    pub(super) fn in_selection(&self, selection: SelectionId, place: usize) -> Option<Value> {
        self.of(self.selections[selection]?).get(place).copied()
    }

    /// The distinct values of a list; those that last are not told apart.
    pub(super) fn list(&mut self, list: ListId, index: &Index, facts: &Facts) -> Part {
        if let Some(part) = self.lists[list] {
            return part;
        }
        let part = match index.list(list) {
            [selection] => self.select(*selection, index, facts),
            selections => {
                for selection in selections {
                    self.select(*selection, index, facts);
                }
                let start = self.values.len();
                self.buffers.begin_list();
                for part in selections
                    .iter()
                    .filter_map(|selection| self.selections[*selection])
                {
                    for place in part.places() {
                        if let Value::Passing(value) = self.values[place]
                            && self.buffers.note_on_list(value)
                        {
                            self.values.push(Value::Passing(value));
                        }
                    }
                }
                self.part(start)
            }
        };
        self.lists[list] = Some(part);
        part
    }

    /// The values that a target means.
    pub(super) fn select(&mut self, selection: SelectionId, index: &Index, facts: &Facts) -> Part {
        if let Some(part) = self.selections[selection] {
            return part;
        }
        let target = index.selection(selection);
        let whole = self.whole(target.variable, index, facts);
        let part = if means_all(target) {
            whole
        } else {
            self.narrowed(target, whole, facts)
        };
        self.selections[selection] = Some(part);
        part
    }

    /// The values of a variable that a target means. Both walks go the same way: what a target means is told
    /// by the walk that rules take, the buffers by their places.
    fn narrowed(&mut self, target: &Target, whole: Part, facts: &Facts) -> Part {
        let start = self.values.len();
        let values = &mut self.values;
        let mut place = whole.start as usize;
        let _ = visit_fact(facts, target.variable, &mut |key, _| {
            if admits(target, &[], key) {
                values.push(values[place]);
            }
            place += 1;
            ControlFlow::Continue(())
        });
        self.part(start)
    }

    fn whole(&mut self, variable: Variable, index: &Index, facts: &Facts) -> Part {
        if let Some(part) = self.variables[variable as usize] {
            return part;
        }
        let (start, whole) = (self.values.len(), variable.is_whole());
        let _ = visit_fact(facts, variable, &mut |key, value| {
            self.values.push(match lasts(variable, key, value) {
                true => Value::Lasting(self.lasting.intern(value, &mut self.buffers, index)),
                false => Value::Passing(self.buffers.intern(value, whole, index)),
            });
            ControlFlow::Continue(())
        });
        let part = self.part(start);
        self.variables[variable as usize] = Some(part);
        part
    }

    /// The values from this place on.
    fn part(&mut self, start: usize) -> Part {
        let buffers = &self.buffers;
        let traits = self.values[start..].iter().map(|value| match value {
            Value::Lasting(_) => 0,
            Value::Passing(value) => buffers.traits(*value),
        });
        self.traits.extend(traits);
        Part {
            start: start as u32,
            end: self.values.len() as u32,
            traits: self.traits[start..].iter().fold(0, |all, traits| all | traits),
        }
    }
}

fn means_all(target: &Target) -> bool {
    matches!(target.selector, Selector::All) && target.exclusions.is_empty()
}
