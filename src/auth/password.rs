//! Passwords: hashing, checking, and what is accepted as one. The only file that names
//! `argon2` and `bcrypt`.
//!
//! A hash takes 19 MiB and some 40 ms, so at most two are computed at once; the others wait for
//! their turn. Nothing here blocks the runtime.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::{AuthError, PasswordFlaw};
use crate::secret::Secret;

/// How many hashes are computed at once.
const AT_ONCE: usize = 2;
const MIN_CHARS: usize = 8;
const MAX_BYTES: usize = 1024;
/// What a hash of ours begins with: argon2id, 19 MiB, two passes, one lane (the OWASP minimum,
/// and the library's default).
const OURS: &str = "$argon2id$v=19$m=19456,t=2,p=1$";
/// The most that a hash which was made elsewhere may cost: memory in KiB, passes, lanes. Whoever tries its
/// user's name makes the gateway pay for it.
const MOST_COSTS: [(&str, u32); 3] = [("m", 256 * 1024), ("t", 16), ("p", 16)];
/// A hash that no password is known for, checked where there is no user: the same work.
const DUMMY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$YmVydGgtbm9ib2R5ISE$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// Above this cost, checking an imported bcrypt hash would take seconds to hours.
const MAX_BCRYPT_COST: u32 = 15;

/// Computes password hashes, a few at a time.
pub(super) struct Passwords {
    turns: Arc<Semaphore>,
    computed: Arc<AtomicU64>,
}

/// The right to compute now. It travels with the computation, so that a caller who goes away
/// does not let a third one begin.
pub(super) struct Turn(#[allow(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Passwords {
    /// Nothing is being computed.
    pub(super) fn new() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)), computed: Arc::default() }
    }

    /// Waits until another hash may be computed. **Cancel safety**: may be dropped and called again.
    pub(super) async fn turn(&self) -> Turn {
        Turn(self.turns.clone().acquire_owned().await.expect("the semaphore is never closed"))
    }

    /// Whether this is the password of `stored`; without one, or with one that cannot be read,
    /// does the same work and says no.
    pub(super) async fn verify(
        &self,
        turn: Turn,
        password: &Secret<String>,
        stored: Option<&Secret<String>>,
    ) -> Result<(Turn, bool), AuthError> {
        let (password, stored) = (password.clone(), stored.cloned());
        self.compute(turn, move || verify(&password, stored.as_ref())).await
    }

    /// Hashes a password that [`check`] accepted.
    pub(super) async fn hash(
        &self,
        turn: Turn,
        password: &Secret<String>,
    ) -> Result<(Turn, Secret<String>), AuthError> {
        let password = password.clone();
        let (turn, hash) = self.compute(turn, move || hash(&password)).await?;
        Ok((turn, hash?))
    }

    /// How many hashes were computed since the start.
    #[cfg(test)]
    pub(super) fn computed(&self) -> u64 {
        self.computed.load(Ordering::SeqCst)
    }

    async fn compute<T, F>(&self, turn: Turn, work: F) -> Result<(Turn, T), AuthError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        self.computed.fetch_add(1, Ordering::SeqCst);
        let computation = tokio::task::spawn_blocking(move || (turn, work()));
        computation.await.map_err(|error| AuthError::Hash { detail: error.to_string() })
    }
}

/// Whether a stored hash should be replaced by one of ours while the password is known.
pub(super) fn needs_rehash(stored: &Secret<String>) -> bool {
    !stored.expose().starts_with(OURS)
}

/// Whether a stored or imported hash can be checked at all.
pub(super) fn is_usable(stored: &str) -> bool {
    let is_bearable = |hash: &PasswordHash| {
        MOST_COSTS.iter().all(|(name, most)| hash.params.get_decimal(*name).is_none_or(|cost| cost <= *most))
    };
    is_bcrypt(stored)
        || stored.starts_with("$argon2id$") && PasswordHash::new(stored).is_ok_and(|hash| is_bearable(&hash))
}

/// Whether this is acceptable as a new password: 8 characters to 1024 bytes, not the name, not one
/// character repeated. No rules about kinds of characters: they make passwords worse.
pub(super) fn check(name: &str, password: &Secret<String>) -> Result<(), PasswordFlaw> {
    let password = password.expose();
    let mut letters = password.chars();
    let first = letters.next();
    if password.chars().count() < MIN_CHARS {
        Err(PasswordFlaw::Short)
    } else if password.len() > MAX_BYTES {
        Err(PasswordFlaw::Long)
    } else if letters.all(|letter| Some(letter) == first) {
        Err(PasswordFlaw::Monotonous)
    } else if password.eq_ignore_ascii_case(name) {
        Err(PasswordFlaw::IsName)
    } else {
        Ok(())
    }
}

fn verify(password: &Secret<String>, stored: Option<&Secret<String>>) -> bool {
    let bytes = password.expose().as_bytes();
    // What is too long to be anyone's password costs no more than others do.
    let (bytes, fits) = (&bytes[..bytes.len().min(MAX_BYTES)], bytes.len() <= MAX_BYTES);
    let usable = stored.map(|stored| stored.expose().as_str()).filter(|stored| is_usable(stored));
    let right = match usable {
        Some(stored) if is_bcrypt(stored) => bcrypt::verify(bytes, stored).unwrap_or(false),
        stored => Argon2::default().verify_password(bytes, stored.unwrap_or(DUMMY)).is_ok(),
    };
    right && usable.is_some() && fits
}

fn hash(password: &Secret<String>) -> Result<Secret<String>, AuthError> {
    let hash = Argon2::default().hash_password(password.expose().as_bytes());
    hash.map(|hash| Secret::new(hash.to_string()))
        .map_err(|error| AuthError::Hash { detail: error.to_string() })
}

fn is_bcrypt(stored: &str) -> bool {
    ["$2a$", "$2b$", "$2y$"].iter().any(|version| stored.starts_with(version))
        && stored.parse::<bcrypt::HashParts>().is_ok_and(|parts| parts.get_cost() <= MAX_BCRYPT_COST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn ours_are_argon2id_and_need_no_rehash() {
        let stored = hash(&secret("correct horse")).unwrap();
        assert!(stored.expose().starts_with(OURS) && !needs_rehash(&stored));
        assert!(verify(&secret("correct horse"), Some(&stored)));
        assert!(!verify(&secret("correct horsf"), Some(&stored)));
        assert_ne!(stored, hash(&secret("correct horse")).unwrap(), "salted");
    }

    #[test]
    fn imported_bcrypt_of_all_three_versions_works_and_wants_a_rehash() {
        let parts = bcrypt::hash_with_salt("correct horse", 4, [7; 16]).unwrap();
        for version in [bcrypt::Version::TwoA, bcrypt::Version::TwoB, bcrypt::Version::TwoY] {
            let stored = secret(&parts.format_for_version(version));
            assert!(needs_rehash(&stored));
            assert!(verify(&secret("correct horse"), Some(&stored)));
            assert!(!verify(&secret("Correct horse"), Some(&stored)));
        }
        // Made by Python's bcrypt.
        let foreign = secret("$2b$04$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie");
        assert!(verify(&secret("correctbatteryhorsestapler"), Some(&foreign)));
        assert!(!is_usable("$2b$04$abcdefghijklmnopqrstuu"), "a truncated hash");
    }

    #[test]
    fn what_is_no_hash_is_nobodys_password() {
        let dear = format!("$2b$31$6{}", "a".repeat(52));
        for stored in ["", "!", "x", "plain", "$2b$", "$argon2i$v=19$m=8,t=1,p=1$AAAA$AAAA", DUMMY, &dear] {
            for password in ["", "!", "x", "plain"] {
                assert!(!verify(&secret(password), Some(&secret(stored))), "{stored}");
            }
        }
        assert!(is_usable(DUMMY) && DUMMY.starts_with(OURS), "the dummy costs what ours cost");
        assert!(!verify(&secret("x"), None));
    }

    #[test]
    fn the_policy_says_what_is_wrong() {
        let check = |password: &str| check("annabelle", &secret(password));
        assert_eq!(check("seven77"), Err(PasswordFlaw::Short));
        assert_eq!(check(&"ab".repeat(513)), Err(PasswordFlaw::Long));
        assert_eq!(check("aaaaaaaaaaaa"), Err(PasswordFlaw::Monotonous));
        assert_eq!(check("AnnaBelle"), Err(PasswordFlaw::IsName));
        // Characters are counted, not bytes.
        assert_eq!(check("ünïcödé"), Err(PasswordFlaw::Short));
        assert_eq!(check("ünïcödés"), Ok(()));
        assert_eq!(check(&"ab".repeat(512)), Ok(()));
    }
}
