//! What users may do, what they may take, and how they read pages.

use super::refusals::Whom;
use super::{Auth, AuthError, Principal};
use crate::audit::{Actor, AuditEvent};
use crate::revocation::CloseReason;
use crate::session::{LimitsChange, UserId, UserLimits};
use crate::store::{Preferences, Role, User};

impl Auth {
    /// Lets a user do something else. Their logins end, so that no page of theirs shows what they may
    /// no longer do.
    ///
    /// # Errors
    /// [`AuthError::UserUnknown`], [`AuthError::LastAdmin`], [`AuthError::Store`].
    pub async fn set_role(&self, actor: &Actor, id: UserId, role: Role) -> Result<User, AuthError> {
        let set = self.set_role_now(actor, id, role).await;
        self.told_if_refused(actor, "set_role", Whom::Id(id), set).await
    }

    pub(super) async fn set_role_now(
        &self,
        actor: &Actor,
        id: UserId,
        role: Role,
    ) -> Result<User, AuthError> {
        let _one_at_a_time = self.changes.lock().await;
        let user = self.known_user(id).await?;
        if user.role == role {
            return Ok(user);
        }
        if role != Role::Admin {
            self.dispensable(id).await?;
        }
        let user = User { role, ..user };
        self.replace(&user).await?;
        let revoked = self.revoke_user(id, CloseReason::LoginEnded).await;
        self.told(actor, AuditEvent::UserRoleChanged { role }, &user).await;
        revoked.map(|()| user)
    }

    /// Changes a user's own limits; they hold from the next start of a session on.
    ///
    /// # Errors
    /// [`AuthError::UserUnknown`], [`AuthError::Store`].
    pub async fn set_limits(
        &self,
        actor: &Actor,
        id: UserId,
        change: &LimitsChange,
    ) -> Result<UserLimits, AuthError> {
        let set = self.set_limits_now(actor, id, change).await;
        self.told_if_refused(actor, "set_limits", Whom::Id(id), set).await
    }

    pub(super) async fn set_limits_now(
        &self,
        actor: &Actor,
        id: UserId,
        change: &LimitsChange,
    ) -> Result<UserLimits, AuthError> {
        let _one_at_a_time = self.changes.lock().await;
        let before = self.known_user(id).await?;
        let limits = change.of(&before.limits);
        if limits != before.limits {
            let user = User { limits: limits.clone(), ..before };
            self.replace(&user).await?;
            self.told(actor, AuditEvent::UserLimitsChanged { limits: limits.clone() }, &user).await;
        }
        Ok(limits)
    }

    /// Changes how somebody reads pages, on every device of theirs at once.
    ///
    /// # Errors
    /// [`AuthError::UserUnknown`], [`AuthError::Store`].
    pub async fn prefer(&self, principal: &Principal, preferences: Preferences) -> Result<(), AuthError> {
        let user = self.change(principal.user, |user| Ok(User { preferences, ..user })).await?;
        self.renew(&user);
        Ok(())
    }
}
