//! The body of a request for the portal, whole before any page sees it.
//!
//! While a request is open its connection never lapses, so a body that is announced and not sent
//! would hold a connection for ever. Nobody is asked who they are here: it bounds `POST /login`, too.

use std::time::Duration;

use bytes::Bytes;
use http_body::Body as HttpBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tokio::time::timeout;

use crate::body::BodyError;
use crate::fault::{Answer, Fault};
use crate::language::Sentence;

/// How long a body may take to arrive, however much of it does.
const ARRIVAL: Duration = Duration::from_secs(15);

/// The most bytes that are kept of a body; the portal's router allows its forms far less.
const LONGEST: usize = 1024 * 1024;

/// Why a request's body was given up.
#[derive(Debug, thiserror::Error)]
pub(super) enum FormError {
    /// The connection ended or broke the protocol within it.
    #[error("the request's body broke off")]
    Broken(#[source] BodyError),
    /// It did not arrive in time.
    #[error("the request's body stopped arriving")]
    Stalled,
    /// It is longer than anything that is sent here.
    #[error("the request's body is too large")]
    TooLarge,
}

impl Answer for FormError {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Broken(_) => "body_broken",
            Self::Stalled => "body_stalled",
            Self::TooLarge => "body_too_large",
        }
    }

    fn sentence(&self) -> Sentence {
        Sentence::of(match self {
            Self::Broken(_) | Self::Stalled => "problem-body-stalled",
            Self::TooLarge => "problem-body-too-large",
        })
    }
}

/// Reads all of `body`, within one deadline.
pub(super) async fn read<B>(body: B) -> Result<Full<Bytes>, FormError>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BodyError>,
{
    // What says that it is too long is refused before it is sent.
    if body.size_hint().lower() > LONGEST as u64 {
        return Err(FormError::TooLarge);
    }
    match timeout(ARRIVAL, Limited::new(body, LONGEST).collect()).await {
        Ok(Ok(whole)) => Ok(Full::new(whole.to_bytes())),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(FormError::TooLarge),
        Ok(Err(error)) => Err(FormError::Broken(error)),
        Err(_) => Err(FormError::Stalled),
    }
}
