//! Many changes in one call.

use serde::{Serialize, Serializer};

use super::{NewRecord, RecordPatch};

/// As many operations as a batch may hold on the smallest plan.
pub const BATCH_LIMIT: usize = 200;

/// Changes in one transaction: all happen or none. The API carries out deletes, then patches, then posts, each in
/// the order given. At most [`BATCH_LIMIT`] together: whoever calls makes the chunks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Identifiers of records to delete.
    pub deletes: Vec<String>,
    /// Identifiers of records, and what to change about them.
    pub patches: Vec<(String, RecordPatch)>,
    /// Records to make.
    pub posts: Vec<NewRecord>,
}

impl Batch {
    /// How many operations it holds.
    pub fn len(&self) -> usize {
        self.deletes.len() + self.patches.len() + self.posts.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds another's operations.
    pub fn extend(&mut self, other: Self) {
        self.deletes.extend(other.deletes);
        self.patches.extend(other.patches);
        self.posts.extend(other.posts);
    }
}

impl Serialize for Batch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let deletes = self.deletes.iter().map(|id| Target { id, patch: None });
        let patches = self.patches.iter().map(|(id, patch)| Target {
            id,
            patch: Some(patch),
        });
        let body = Body {
            deletes: deletes.collect(),
            patches: patches.collect(),
            posts: &self.posts,
        };
        body.serialize(serializer)
    }
}

/// What goes over the wire.
#[derive(Serialize)]
struct Body<'b> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deletes: Vec<Target<'b>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    patches: Vec<Target<'b>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    posts: &'b [NewRecord],
}

#[derive(Serialize)]
struct Target<'b> {
    id: &'b str,
    #[serde(flatten)]
    patch: Option<&'b RecordPatch>,
}
