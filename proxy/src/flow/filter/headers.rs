//! Headers that a route sets, adds to and removes.

use http::{HeaderName, HeaderValue};
use pingora_error::Result;
use pingora_http::{RequestHeader, ResponseHeader};

use super::super::context::RequestContext;
use crate::config::{HeaderChanges, HeaderText, TextPiece, Variable};

/// A head that can be changed.
pub(super) trait Head {
    fn set(&mut self, name: HeaderName, value: HeaderValue) -> Result<()>;
    fn add(&mut self, name: HeaderName, value: HeaderValue) -> Result<()>;
    fn remove(&mut self, name: &HeaderName);
}

/// Makes the changes.
pub(super) fn change(changes: &HeaderChanges, context: &RequestContext, head: &mut impl Head) -> Result<()> {
    for name in &changes.remove {
        head.remove(name);
    }
    for (name, text) in &changes.set {
        if let Some(value) = value(text, context) {
            head.set(name.clone(), value)?;
        }
    }
    for (name, text) in &changes.add {
        if let Some(value) = value(text, context) {
            head.add(name.clone(), value)?;
        }
    }
    Ok(())
}

/// None where a variable holds what no header can.
fn value(text: &HeaderText, context: &RequestContext) -> Option<HeaderValue> {
    let pieces = match text {
        HeaderText::Constant(value) => return Some(value.clone()),
        HeaderText::Composed(pieces) => pieces,
    };
    let mut whole = String::new();
    for piece in pieces {
        match piece {
            TextPiece::Text(text) => whole.push_str(text),
            TextPiece::Variable(Variable::ClientIp) => whole.push_str(&context.client.ip().to_string()),
            TextPiece::Variable(Variable::Host) => whole.push_str(&context.host),
            TextPiece::Variable(Variable::RequestId) => whole.push_str(&context.id),
            TextPiece::Variable(Variable::Route) => {
                whole.push_str(context.route.as_ref().map_or("", |route| &route.route.name));
            }
        }
    }
    HeaderValue::try_from(whole).ok()
}

impl Head for RequestHeader {
    fn set(&mut self, name: HeaderName, value: HeaderValue) -> Result<()> {
        self.insert_header(name, value)
    }

    fn add(&mut self, name: HeaderName, value: HeaderValue) -> Result<()> {
        self.append_header(name, value).map(drop)
    }

    fn remove(&mut self, name: &HeaderName) {
        self.remove_header(name);
    }
}

impl Head for ResponseHeader {
    fn set(&mut self, name: HeaderName, value: HeaderValue) -> Result<()> {
        self.insert_header(name, value)
    }

    fn add(&mut self, name: HeaderName, value: HeaderValue) -> Result<()> {
        self.append_header(name, value).map(drop)
    }

    fn remove(&mut self, name: &HeaderName) {
        self.remove_header(name);
    }
}
