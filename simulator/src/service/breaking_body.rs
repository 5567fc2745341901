//! A body that ends before its length.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

/// A body that ends with an error, upon which the server closes the connection.
pub(super) struct BreakingBody {
    whole_length: u64,
    beginning: Option<Bytes>,
    was_flushed: bool,
}

impl BreakingBody {
    /// So many bytes of the body.
    pub(super) fn new(mut whole: Vec<u8>, bytes: usize) -> Self {
        let whole_length = whole.len() as u64;
        whole.truncate(bytes);
        BreakingBody {
            whole_length,
            beginning: Some(whole.into()),
            was_flushed: false,
        }
    }
}

impl MessageBody for BreakingBody {
    type Error = std::io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.whole_length)
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if let Some(beginning) = self.beginning.take() {
            return Poll::Ready(Some(Ok(beginning)));
        }
        // The server sends what it has when a body has nothing more for the moment, but not when it fails.
        if !self.was_flushed {
            self.was_flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())))
    }
}
