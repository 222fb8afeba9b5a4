//! Lists in pages, the same way everywhere: `limit` and `cursor` in, `items` and `next` out.
//!
//! A cursor is the place of the last item that was shown, not the item: when that one is removed, or
//! others come before it, the next page still begins right behind where it was.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::flaw::Flaw;

/// The most items on one page, and how many there are unless the asker wants fewer.
const MOST: u16 = 100;

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// Up to this many items; 100 unless given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// What the page before called `next`.
    #[param(min_length = 1, max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The items, in the list's order.
    #[schema(max_items = 100)]
    pub(super) items: Vec<T>,
    /// The `cursor` of the following page; `null` on the last.
    #[schema(required = true)]
    pub(super) next: Option<String>,
}

impl Paging {
    /// How many items the page has at most.
    ///
    /// # Errors
    /// [`Flaw`] if the asker wants none or too many.
    pub(super) fn limit(&self) -> Result<usize, Flaw> {
        match self.limit.unwrap_or(MOST) {
            limit @ 1..=MOST => Ok(usize::from(limit)),
            _ => Err(Flaw::new("limit", format!("expected a number from 1 to {MOST}"))),
        }
    }

    /// The place behind which the page begins; `None` for the first page.
    ///
    /// # Errors
    /// [`Flaw`] if the cursor is not one of this list.
    pub(super) fn after<K: DeserializeOwned>(&self) -> Result<Option<K>, Flaw> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let place = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|json| serde_json::from_slice(&json).ok());
        let unknown = || Flaw::new("cursor", "expected what an earlier page of this list called next");
        place.ok_or_else(unknown).map(Some)
    }

    /// This page of a whole list that is in ascending order of `place`, which no two items share.
    ///
    /// # Errors
    /// [`Flaw`] if `limit` or `cursor` are not what they should be.
    pub(super) fn of<T, K>(
        &self,
        all: impl IntoIterator<Item = T>,
        place: impl Fn(&T) -> K,
    ) -> Result<Page<T>, Flaw>
    where
        K: DeserializeOwned + Ord + Serialize,
    {
        let (limit, after) = (self.limit()?, self.after::<K>()?);
        let behind = |item: &T| after.as_ref().is_none_or(|after| place(item) > *after);
        let found: Vec<T> = all.into_iter().filter(behind).take(limit + 1).collect();
        Ok(Page::cut(found, limit, place))
    }
}

impl<T> Page<T> {
    /// A page of `limit` items out of `found`, which has one more if there is a following page.
    pub(super) fn cut<K: Serialize>(mut found: Vec<T>, limit: usize, place: impl Fn(&T) -> K) -> Self {
        let more = found.len() > limit;
        found.truncate(limit);
        Self::of(found, more, place)
    }

    /// A page of these items, behind which there are more or are not.
    pub(super) fn of<K: Serialize>(items: Vec<T>, more: bool, place: impl Fn(&T) -> K) -> Self {
        let next = items.last().filter(|_| more).map(|last| {
            let place = serde_json::to_vec(&place(last)).expect("a place is made of texts and numbers");
            URL_SAFE_NO_PAD.encode(place)
        });
        Self { items, next }
    }

    /// The same page of other items.
    pub(super) fn map<U>(self, shown: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(shown).collect(), next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(all: &[u32], limit: u16, cursor: Option<String>) -> Page<u32> {
        Paging { limit: Some(limit), cursor }.of(all.to_vec(), |item| *item).unwrap()
    }

    #[test]
    fn pages_follow_one_another_whatever_comes_and_goes() {
        let first = page(&[1, 3, 5, 7], 2, None);
        assert_eq!(first.items, [1, 3]);
        // What was last on it is gone, and others came before and behind.
        let second = page(&[0, 1, 2, 4, 5, 7], 2, first.next);
        assert_eq!(second.items, [4, 5]);
        let last = page(&[0, 7], 2, second.next);
        assert_eq!((last.items, last.next), (vec![7], None));
        assert_eq!(page(&[1, 2], 2, None).next, None, "nothing follows a page that is just full");
    }

    #[test]
    fn bounds_and_cursors_of_other_lists_are_refused() {
        for limit in [0, 101, u16::MAX] {
            assert!(Paging { limit: Some(limit), cursor: None }.limit().is_err());
        }
        for cursor in ["", "*", "bm8", "WzFd"] {
            let paging = Paging { limit: None, cursor: Some(cursor.to_owned()) };
            assert!(paging.after::<u32>().is_err(), "{cursor}");
        }
    }
}
