//! Light or dark: how a reader wants pages to look.
//!
//! The choice belongs to whoever asks, and every page shows it; so it stands beside the request
//! instead of in every page's own record. The edges say it once, around the making of an answer.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

tokio::task_local! {
    static CHOSEN: Option<Look>;
}

/// A look that somebody chose; without a choice pages follow the device.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// Dark ink on a light ground.
    Light,
    /// Light ink on a dark ground.
    Dark,
}

/// A text that names no look.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("a look is light or dark")]
pub struct LookError;

impl Look {
    /// The stable `snake_case` name, also in `data-look` of every page.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The one that the reader of the present answer chose.
    #[must_use]
    pub fn chosen() -> Option<Self> {
        CHOSEN.try_with(|chosen| *chosen).ok().flatten()
    }

    /// Makes an answer for a reader who chose this.
    pub async fn around<T>(chosen: Option<Self>, answer: impl Future<Output = T>) -> T {
        CHOSEN.scope(chosen, answer).await
    }

    /// The same for what is made at once.
    pub fn during<T>(chosen: Option<Self>, answer: impl FnOnce() -> T) -> T {
        CHOSEN.sync_scope(chosen, answer)
    }
}

impl FromStr for Look {
    type Err = LookError;

    fn from_str(text: &str) -> Result<Self, LookError> {
        match text {
            "light" => Ok(Self::Light),
            "dark" => Ok(Self::Dark),
            _ => Err(LookError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_choice_holds_for_one_answer() {
        assert_eq!(Look::chosen(), None);
        let within = Look::around(Some(Look::Dark), async {
            tokio::task::yield_now().await;
            (Look::chosen(), Look::during(None, Look::chosen), Look::chosen())
        });
        assert_eq!(within.await, (Some(Look::Dark), None, Some(Look::Dark)));
        assert_eq!(Look::chosen(), None);
        for look in [Look::Light, Look::Dark] {
            assert_eq!(look.name().parse(), Ok(look));
        }
    }
}
