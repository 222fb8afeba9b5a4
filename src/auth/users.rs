//! Creating, disabling and removing users, and setting passwords.

use super::password;
use super::refusals::Whom;
use super::{Auth, AuthError, NameFlaw, Principal, Visitor};
use crate::audit::{Actor, AuditEvent, Record};
use crate::clock;
use crate::revocation::CloseReason;
use crate::secret::Secret;
use crate::session::{SessionName, UserId, UserLimits};
use crate::store::{Preferences, Role, StoreError, User};

/// A user to be created.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// 1 to 64 visible characters; unique without regard to ASCII case.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// 8 to 1024 bytes.
    pub password: Secret<String>,
}

/// Whether a password that somebody else chose is only for the first login.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Renewal {
    /// Its user may keep it.
    #[default]
    Optional,
    /// Its user must choose another one before they may do anything else.
    Required,
}

/// On which terms a user is created, beside the usual ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    /// Whether they keep their first password.
    pub renewal: Renewal,
    /// Whether they may not log in yet.
    pub disabled: bool,
    /// Limits of their own.
    pub limits: UserLimits,
}

impl Auth {
    /// Creates a user.
    ///
    /// # Errors
    /// [`AuthError::NameInvalid`], [`AuthError::PasswordWeak`], [`AuthError::UserTaken`],
    /// [`AuthError::Store`].
    pub async fn create_user(&self, actor: &Actor, new: NewUser) -> Result<User, AuthError> {
        self.create_user_on(actor, new, Terms::default()).await
    }

    /// Creates a user on other terms than the usual ones.
    ///
    /// # Errors
    /// As for [`Auth::create_user`].
    pub async fn create_user_on(&self, actor: &Actor, new: NewUser, terms: Terms) -> Result<User, AuthError> {
        let name = new.name.clone();
        let created = self.create_user_now(actor, new, terms).await;
        self.told_if_refused(actor, "create", Whom::Name(&name), created).await
    }

    /// The same for whoever tells the audit of a refusal in other words; so is what is called so below.
    pub(super) async fn create_user_now(
        &self,
        actor: &Actor,
        new: NewUser,
        terms: Terms,
    ) -> Result<User, AuthError> {
        let name = user_name(&new.name)?;
        let password_hash = self.hashed(&name, &new.password).await?;
        self.add_user(actor, name, new.role, password_hash, terms).await
    }

    /// Creates a user with a hash from another system: argon2id, or bcrypt (`$2a$`, `$2b$`,
    /// `$2y$`, cost up to 15), which the first login replaces. A hash that cannot be checked is
    /// kept, and no password fits it until one is set; `false` says so.
    ///
    /// # Errors
    /// [`AuthError::NameInvalid`], [`AuthError::UserTaken`], [`AuthError::Store`].
    pub async fn import_user(
        &self,
        actor: &Actor,
        name: &str,
        role: Role,
        password_hash: Secret<String>,
    ) -> Result<(User, bool), AuthError> {
        let usable = password::is_usable(password_hash.expose());
        let added = match user_name(name) {
            Ok(name) => self.add_user(actor, name, role, password_hash, Terms::default()).await,
            Err(error) => Err(error),
        };
        let user = self.told_if_refused(actor, "create", Whom::Name(name), added).await?;
        Ok((user, usable))
    }

    /// Gives a user another password and ends their logins.
    ///
    /// # Errors
    /// [`AuthError::PasswordWeak`], [`AuthError::UserUnknown`], [`AuthError::Store`].
    pub async fn set_password(
        &self,
        actor: &Actor,
        id: UserId,
        password: &Secret<String>,
        renewal: Renewal,
    ) -> Result<(), AuthError> {
        let set = self.set_password_now(actor, id, password, renewal).await;
        self.told_if_refused(actor, "set_password", Whom::Id(id), set).await
    }

    async fn set_password_now(
        &self,
        actor: &Actor,
        id: UserId,
        password: &Secret<String>,
        renewal: Renewal,
    ) -> Result<(), AuthError> {
        let name = self.known_user(id).await?.name;
        let password_hash = self.hashed(&name, password).await?;
        let must_change = renewal == Renewal::Required;
        let user = self.change(id, |user| Ok(User { password_hash, must_change, ..user })).await?;
        self.password_changed(actor, &user).await
    }

    /// Changes somebody's own password, which they prove to know, and ends all their logins, this
    /// one too. Guesses at the present one count as failed logins.
    ///
    /// # Errors
    /// [`AuthError::PasswordWeak`], [`AuthError::CredentialsWrong`], [`AuthError::Throttled`],
    /// [`AuthError::UserUnknown`], [`AuthError::Store`].
    pub async fn change_password(
        &self,
        principal: &Principal,
        present: &Secret<String>,
        new: &Secret<String>,
        from: &Visitor,
    ) -> Result<(), AuthError> {
        let user = self.known_user(principal.user).await?;
        let (actor, whom) = (Actor::user(&user.name, from.address), Whom::Name(&user.name));
        let fit = password::check(&user.name, new).map_err(AuthError::PasswordWeak);
        self.told_if_refused(&actor, "change_password", whom, fit).await?;
        // A wrong one is in the audit as a refused login.
        self.prove(&user, present, from).await?;
        let changed = self.replace_password(&user, new).await;
        let changed = self.told_if_refused(&actor, "change_password", whom, changed).await?;
        self.password_changed(&actor, &changed).await
    }

    async fn replace_password(&self, user: &User, new: &Secret<String>) -> Result<User, AuthError> {
        let password_hash = self.hashed(&user.name, new).await?;
        // Not if an administrator was faster: whoever knew the old password stays out.
        let unchanged = |now: User| {
            let same = now.password_hash == user.password_hash && !now.disabled;
            if same {
                Ok(User { password_hash, must_change: false, ..now })
            } else {
                Err(AuthError::CredentialsWrong)
            }
        };
        self.change(user.id, unchanged).await
    }

    /// Disables a user: they cannot log in, and their logins end.
    ///
    /// # Errors
    /// [`AuthError::UserUnknown`], [`AuthError::LastAdmin`], [`AuthError::Store`].
    pub async fn disable_user(&self, actor: &Actor, id: UserId) -> Result<(), AuthError> {
        let disabled = self.disable_user_now(actor, id).await;
        self.told_if_refused(actor, "disable", Whom::Id(id), disabled).await
    }

    pub(crate) async fn disable_user_now(&self, actor: &Actor, id: UserId) -> Result<(), AuthError> {
        let _one_at_a_time = self.changes.lock().await;
        let user = self.dispensable(id).await?;
        if !user.disabled {
            self.replace(&User { disabled: true, ..user.clone() }).await?;
            self.told(actor, AuditEvent::UserDisabled, &user).await;
        }
        // Of somebody who is disabled already too: the store may have failed here the last time.
        let revoked = self.revoke_user(id, CloseReason::LoginEnded).await;
        self.revoke_tokens_of(actor, id).await?;
        revoked
    }

    /// Lets a disabled user log in again.
    ///
    /// # Errors
    /// [`AuthError::UserUnknown`], [`AuthError::Store`].
    pub async fn enable_user(&self, actor: &Actor, id: UserId) -> Result<(), AuthError> {
        let enabled = self.enable_user_now(actor, id).await;
        self.told_if_refused(actor, "enable", Whom::Id(id), enabled).await
    }

    pub(super) async fn enable_user_now(&self, actor: &Actor, id: UserId) -> Result<(), AuthError> {
        let user = self.change(id, |user| Ok(User { disabled: false, ..user })).await?;
        self.told(actor, AuditEvent::UserEnabled, &user).await;
        Ok(())
    }

    /// Removes a user and ends their logins. Their sessions are the broker's to remove first.
    ///
    /// # Errors
    /// [`AuthError::UserUnknown`], [`AuthError::LastAdmin`], [`AuthError::Store`].
    pub async fn remove_user(&self, actor: &Actor, id: UserId) -> Result<(), AuthError> {
        let removed = self.remove_user_now(actor, id).await;
        self.told_if_refused(actor, "remove", Whom::Id(id), removed).await
    }

    pub(crate) async fn remove_user_now(&self, actor: &Actor, id: UserId) -> Result<(), AuthError> {
        let _one_at_a_time = self.changes.lock().await;
        let user = self.dispensable(id).await?;
        // They would go with the user, and nobody would be told of them.
        self.revoke_tokens_of(actor, id).await?;
        self.store.remove_user(id).await?;
        self.forget_tokens_of(id);
        let revoked = self.revoke_user(id, CloseReason::LoginEnded).await;
        self.told(actor, AuditEvent::UserRemoved, &user).await;
        revoked
    }

    pub(super) async fn add_user(
        &self,
        actor: &Actor,
        name: String,
        role: Role,
        password_hash: Secret<String>,
        terms: Terms,
    ) -> Result<User, AuthError> {
        let user = User {
            id: UserId::random(),
            name,
            role,
            password_hash,
            disabled: terms.disabled,
            created_at: clock::now(),
            last_login_at: None,
            must_change: terms.renewal == Renewal::Required,
            limits: terms.limits,
            preferences: Preferences::default(),
        };
        self.store.insert_user(&user).await?;
        self.told(actor, AuditEvent::UserCreated { role }, &user).await;
        Ok(user)
    }

    async fn password_changed(&self, actor: &Actor, user: &User) -> Result<(), AuthError> {
        let revoked = self.revoke_user(user.id, CloseReason::LoginEnded).await;
        self.told(actor, AuditEvent::UserPasswordChanged, user).await;
        revoked
    }

    pub(super) async fn change(
        &self,
        id: UserId,
        change: impl FnOnce(User) -> Result<User, AuthError>,
    ) -> Result<User, AuthError> {
        let _one_at_a_time = self.changes.lock().await;
        let user = change(self.known_user(id).await?)?;
        self.replace(&user).await?;
        Ok(user)
    }

    /// Stores what became of a user. Call it with `changes` held since they were read.
    pub(super) async fn replace(&self, user: &User) -> Result<(), AuthError> {
        self.store.update_user(user).await.map_err(unknown_if_stale)
    }

    pub(super) async fn known_user(&self, id: UserId) -> Result<User, AuthError> {
        self.store.user(id).await?.ok_or(AuthError::UserUnknown)
    }

    /// This user, unless nobody else could administer. Call it with `changes` held.
    pub(super) async fn dispensable(&self, id: UserId) -> Result<User, AuthError> {
        let user = self.known_user(id).await?;
        let administers = |user: &User| user.role == Role::Admin && !user.disabled;
        let users = self.store.users().await?;
        if administers(&user) && !users.iter().any(|other| other.id != id && administers(other)) {
            return Err(AuthError::LastAdmin);
        }
        Ok(user)
    }

    pub(super) async fn hashed(
        &self,
        name: &str,
        password: &Secret<String>,
    ) -> Result<Secret<String>, AuthError> {
        password::check(name, password).map_err(AuthError::PasswordWeak)?;
        let (_turn, hash) = self.passwords.hash(self.passwords.turn().await, password).await?;
        Ok(hash)
    }

    pub(super) async fn told(&self, actor: &Actor, event: AuditEvent, user: &User) {
        self.audit.record(Record::new(actor.clone(), event).about(&user.name)).await;
    }
}

/// The name that a text is, if a user may be called so.
pub(super) fn user_name(text: &str) -> Result<String, AuthError> {
    let name: SessionName = text.parse().map_err(|error| AuthError::NameInvalid(NameFlaw::Text(error)))?;
    // A browser takes the points out of an address, and the API has an address of the last one's.
    const ADDRESSES: [&str; 3] = [".", "..", "import"];
    let start = name.as_str().get(..Actor::OF_TOKENS.len()).unwrap_or_default();
    let of_token = start.eq_ignore_ascii_case(Actor::OF_TOKENS);
    let mut reserved = Actor::RESERVED.iter().chain(&ADDRESSES);
    if of_token || reserved.any(|reserved| name.as_str().eq_ignore_ascii_case(reserved)) {
        return Err(AuthError::NameInvalid(NameFlaw::Reserved));
    }
    Ok(name.into())
}

fn unknown_if_stale(error: StoreError) -> AuthError {
    match error {
        StoreError::Stale => AuthError::UserUnknown,
        error => error.into(),
    }
}
