//! The last step of an answer: what may go out goes to the client, compressed where it is to be.

use pingora_core::protocols::http::{HttpTask, ServerSession};
use pingora_error::Result;

use super::compress::Press;
use super::connection;

/// The client's side of an answer.
pub(super) struct Outlet<'a> {
    pub(super) session: &'a mut ServerSession,
    pub(super) press: Option<&'a mut Press>,
}

impl Outlet<'_> {
    /// Sends; `true` once the client has its whole answer.
    pub(super) async fn send(&mut self, tasks: Vec<HttpTask>) -> Result<bool> {
        let mut tasks = match &mut self.press {
            Some(press) => press.pass(tasks)?,
            None => tasks,
        };
        for task in &mut tasks {
            if let HttpTask::Header(head, _) = task {
                connection::frame(self.session, head);
            }
        }
        self.session.response_duplex_vec(tasks).await
    }
}
