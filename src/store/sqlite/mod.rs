//! The embedded store: one SQLite file in WAL mode.
//!
//! One thread writes, a few connections read. Several processes may open the same file: the
//! gateway and the command line do. This folder is the only place that names `rusqlite`.

mod audit;
mod backup;
mod failure;
mod grants;
mod invitations;
mod links;
mod lock;
mod logins;
mod migrate;
mod open;
mod programs;
mod readers;
mod rows;
#[cfg(test)]
mod schema_tests;
mod sessions;
mod stats;
#[cfg(test)]
mod tests;
mod users;
mod writer;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::Connection;

use self::failure::Refusal;
pub use self::lock::StoreLock;
use self::readers::Readers;
use self::writer::Writer;
use super::{
    ApiToken, AuditLine, AuditLines, AuditOrder, AuditSearch, Invited, KeptAnswer, Login, StatPoint,
    StatSpan, Store, StoreError, Ticket, TokenId, User, UserPage, UserQuery,
};
use crate::secret::{Secret, TokenHash};
use crate::session::{
    Grant, GrantId, Invitation, InvitationId, Label, Link, LinkId, Session, SessionId, UserId,
};

/// A store in one SQLite file. Dropping it finishes queued writes and joins its thread.
pub struct SqliteStore {
    // Dropped first, so that the writer is the last connection and folds the log into the file.
    readers: Option<Readers>,
    writer: Writer,
    installation: String,
    /// Keeps everybody from putting another database in the place of this one; `None` where nobody would.
    _lock: Option<StoreLock>,
}

/// Under which a store keeps when it was put back.
const RESTORED_AT: &str = "restored_at";

impl SqliteStore {
    /// Opens the database at `path`, or makes it: the file with mode 0600, a missing parent
    /// directory with 0700. Brings an older schema up to date. Blocks; call it at the start.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the file is damaged or not ours, [`StoreError::Newer`] if a
    /// newer Berth wrote it, [`StoreError::Locked`] while another is put in its place,
    /// [`StoreError::Unavailable`] if it cannot be opened or written.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        open::prepare_file(path)?;
        let lock = StoreLock::shared(path)?;
        let name: Arc<str> = path.display().to_string().into();
        Self::assemble(open::writer(path, &name, true)?, Some(Readers::open(path, &name)?), name, Some(lock))
    }

    /// Opens a database that nobody else can open: one that is still to be put in its place, or whose
    /// place is held by a [`StoreLock::alone`]. With `keep` it is kept as it was if its schema is older.
    ///
    /// # Errors
    /// As for [`SqliteStore::open`].
    pub fn open_alone(path: &Path, keep: bool) -> Result<Self, StoreError> {
        open::prepare_file(path)?;
        let name: Arc<str> = path.display().to_string().into();
        Self::assemble(open::writer(path, &name, keep)?, Some(Readers::open(path, &name)?), name, None)
    }

    /// An empty store that keeps nothing, for tests; it reads and writes on one thread.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if there is no memory or no thread for it.
    pub fn in_memory() -> Result<Self, StoreError> {
        let name: Arc<str> = ":memory:".into();
        Self::assemble(open::memory(&name)?, None, name, None)
    }

    fn assemble(
        connection: Connection,
        readers: Option<Readers>,
        name: Arc<str>,
        lock: Option<StoreLock>,
    ) -> Result<Self, StoreError> {
        let installation =
            open::installation(&connection).map_err(|error| failure::explain(&name, &error))?;
        let writer = Writer::start(connection, name)?;
        Ok(Self { readers, writer, installation, _lock: lock })
    }

    /// The schema of every database that this binary has opened.
    #[must_use]
    pub fn schema() -> i64 {
        open::newest()
    }

    /// Copies the database to `to` while it is in use: one consistent moment, mode 0600, in
    /// place of an older file of that name only once it is complete.
    ///
    /// **Cancel safety**: a cancelled backup completes in the background.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if `to` cannot be written; `to` is then as it was.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let to = to.to_owned();
        self.read(move |connection| Ok(backup::copy(connection, &to))).await?
    }

    /// Runs any statement, for tests of what happens to a database behind our back.
    #[cfg(test)]
    pub(crate) async fn vandalise(&self, sql: &'static str) {
        self.write(move |connection| Ok(connection.execute_batch(sql)?)).await.unwrap();
    }

    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
    {
        self.writer.run(work).await
    }

    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
    {
        match &self.readers {
            Some(readers) => readers.run(work).await,
            None => self.writer.run(work).await,
        }
    }
}

#[async_trait]
impl AuditLines for SqliteStore {
    async fn find_audit(
        &self,
        search: &AuditSearch,
        order: AuditOrder,
        limit: usize,
    ) -> Result<Vec<AuditLine>, StoreError> {
        let search = search.clone();
        self.read(move |connection| audit::find(connection, &search, order, limit)).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn installation(&self) -> String {
        self.installation.clone()
    }

    async fn insert_user(&self, user: &User) -> Result<(), StoreError> {
        let user = user.clone();
        self.write(move |connection| users::insert(connection, &user)).await
    }

    async fn user_by_name(&self, name: &str) -> Result<Option<User>, StoreError> {
        let name = name.to_owned();
        self.read(move |connection| users::by_name(connection, &name)).await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.read(move |connection| users::by_id(connection, id)).await
    }

    async fn users(&self) -> Result<Vec<User>, StoreError> {
        self.read(users::all).await
    }

    async fn find_users(&self, query: &UserQuery) -> Result<UserPage, StoreError> {
        let query = query.clone();
        self.read(move |connection| users::find(connection, &query)).await
    }

    async fn update_user(&self, user: &User) -> Result<(), StoreError> {
        let user = user.clone();
        self.write(move |connection| users::update(connection, &user)).await
    }

    async fn remove_user(&self, id: UserId) -> Result<(), StoreError> {
        self.write(move |connection| users::remove(connection, id)).await
    }

    async fn note_login(
        &self,
        user: UserId,
        at: Timestamp,
        verified: &Secret<String>,
        rehashed: Option<&Secret<String>>,
    ) -> Result<(), StoreError> {
        let (verified, rehashed) = (verified.clone(), rehashed.cloned());
        self.write(move |connection| users::note_login(connection, user, at, &verified, rehashed.as_ref()))
            .await
    }

    async fn insert_login(&self, login: &Login) -> Result<(), StoreError> {
        let login = login.clone();
        self.write(move |connection| logins::insert(connection, &login)).await
    }

    async fn login(&self, token: &TokenHash) -> Result<Option<Login>, StoreError> {
        let token = *token;
        self.read(move |connection| logins::by_token(connection, token)).await
    }

    async fn logins_of(&self, user: UserId) -> Result<Vec<Login>, StoreError> {
        self.read(move |connection| logins::of(connection, user)).await
    }

    async fn remove_login(&self, token: &TokenHash) -> Result<Vec<TokenHash>, StoreError> {
        let token = *token;
        self.write(move |connection| logins::remove(connection, token)).await
    }

    async fn remove_logins_of(&self, user: UserId) -> Result<Vec<TokenHash>, StoreError> {
        self.write(move |connection| logins::remove_of(connection, user)).await
    }

    async fn purge_lapsed(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.write(move |connection| logins::purge(connection, now)).await
    }

    async fn insert_ticket(&self, ticket: &Ticket) -> Result<(), StoreError> {
        let ticket = ticket.clone();
        self.write(move |connection| logins::insert_ticket(connection, &ticket)).await
    }

    async fn take_ticket(&self, token: &TokenHash) -> Result<Option<Ticket>, StoreError> {
        let token = *token;
        self.write(move |connection| logins::take_ticket(connection, token)).await
    }

    async fn insert_session(&self, session: &Session) -> Result<(), StoreError> {
        let session = session.clone();
        self.write(move |connection| sessions::insert(connection, &session)).await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.read(move |connection| sessions::by_id(connection, id)).await
    }

    async fn session_by_label(&self, label: &Label) -> Result<Option<Session>, StoreError> {
        let label = label.clone();
        self.read(move |connection| sessions::by_label(connection, &label)).await
    }

    async fn sessions(&self) -> Result<Vec<Session>, StoreError> {
        self.read(sessions::all).await
    }

    async fn update_session(&self, session: &Session) -> Result<u64, StoreError> {
        let session = session.clone();
        self.write(move |connection| sessions::update(connection, &session)).await
    }

    async fn remove_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.write(move |connection| sessions::remove(connection, id)).await
    }

    async fn insert_grant(&self, grant: &Grant) -> Result<(), StoreError> {
        let grant = grant.clone();
        self.write(move |connection| grants::insert(connection, &grant)).await
    }

    async fn grants(&self) -> Result<Vec<Grant>, StoreError> {
        self.read(grants::all).await
    }

    async fn remove_grant(&self, id: GrantId) -> Result<(), StoreError> {
        self.write(move |connection| grants::remove(connection, id)).await
    }

    async fn purge_grants(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.write(move |connection| grants::purge(connection, now)).await
    }

    async fn insert_api_token(&self, token: &ApiToken) -> Result<(), StoreError> {
        let token = token.clone();
        self.write(move |connection| programs::insert(connection, &token)).await
    }

    async fn api_token(&self, hash: &TokenHash) -> Result<Option<ApiToken>, StoreError> {
        let hash = *hash;
        self.read(move |connection| programs::by_hash(connection, hash)).await
    }

    async fn api_tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        self.read(programs::list).await
    }

    async fn remove_api_token(&self, id: TokenId) -> Result<Option<ApiToken>, StoreError> {
        self.write(move |connection| programs::remove(connection, id)).await
    }

    async fn remove_api_tokens_of(&self, user: UserId) -> Result<Vec<ApiToken>, StoreError> {
        self.write(move |connection| programs::remove_of(connection, user)).await
    }

    async fn note_api_token_used(&self, id: TokenId, at: Timestamp) -> Result<(), StoreError> {
        self.write(move |connection| programs::note_used(connection, id, at)).await
    }

    async fn keep_answer(&self, answer: &KeptAnswer) -> Result<(), StoreError> {
        let answer = answer.clone();
        self.write(move |connection| programs::keep(connection, &answer)).await
    }

    async fn kept_answer(&self, key: &TokenHash) -> Result<Option<KeptAnswer>, StoreError> {
        let key = *key;
        self.read(move |connection| programs::kept(connection, key)).await
    }

    async fn purge_answers(&self, before: Timestamp) -> Result<usize, StoreError> {
        self.write(move |connection| programs::purge_answers(connection, before)).await
    }

    async fn insert_invitation(&self, invitation: &Invitation, token: &TokenHash) -> Result<(), StoreError> {
        let (invitation, token) = (invitation.clone(), *token);
        self.write(move |connection| invitations::insert(connection, &invitation, token)).await
    }

    async fn invitation(&self, token: &TokenHash) -> Result<Option<Invited>, StoreError> {
        let token = *token;
        self.read(move |connection| invitations::by_token(connection, token)).await
    }

    async fn invitations_of(&self, session: SessionId) -> Result<Vec<Invited>, StoreError> {
        self.read(move |connection| invitations::of(connection, session)).await
    }

    async fn accept_invitation(&self, grant: &Grant) -> Result<(), StoreError> {
        let grant = grant.clone();
        self.write(move |connection| invitations::accept(connection, &grant)).await
    }

    async fn remove_invitation(&self, id: InvitationId) -> Result<(), StoreError> {
        self.write(move |connection| invitations::remove(connection, id)).await
    }

    async fn purge_invitations(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.write(move |connection| invitations::purge(connection, now)).await
    }

    async fn insert_link(&self, link: &Link) -> Result<(), StoreError> {
        let link = link.clone();
        self.write(move |connection| links::insert(connection, &link)).await
    }

    async fn link(&self, token: &TokenHash) -> Result<Option<Link>, StoreError> {
        let token = *token;
        self.read(move |connection| links::by_token(connection, token)).await
    }

    async fn links(&self) -> Result<Vec<Link>, StoreError> {
        self.read(links::all).await
    }

    async fn take_link(&self, token: &TokenHash, now: Timestamp) -> Result<Option<Link>, StoreError> {
        let token = *token;
        self.write(move |connection| links::take(connection, token, now)).await
    }

    async fn give_link_back(&self, id: LinkId) -> Result<(), StoreError> {
        self.write(move |connection| links::give_back(connection, id)).await
    }

    async fn remove_link(&self, id: LinkId) -> Result<Option<Link>, StoreError> {
        self.write(move |connection| links::remove(connection, id)).await
    }

    async fn purge_links(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.write(move |connection| links::purge(connection, now)).await
    }

    async fn append_audit(&self, body: String) -> Result<AuditLine, StoreError> {
        self.write(move |connection| audit::append(connection, body)).await
    }

    async fn restored_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|connection| open::noted(connection, RESTORED_AT)).await
    }

    async fn set_restored_at(&self, at: Option<Timestamp>) -> Result<(), StoreError> {
        self.write(move |connection| open::note(connection, RESTORED_AT, at)).await
    }

    async fn keep_stats(
        &self,
        points: &[StatPoint],
        before: &[(StatSpan, i64)],
        gone: &[String],
    ) -> Result<(), StoreError> {
        let (points, before, gone) = (points.to_vec(), before.to_vec(), gone.to_vec());
        self.write(move |connection| stats::keep(connection, &points, &before, &gone)).await
    }

    async fn stats(&self) -> Result<Vec<StatPoint>, StoreError> {
        self.read(stats::all).await
    }

    async fn trim_audit(&self, first: u64, through: u64, body: String) -> Result<AuditLine, StoreError> {
        self.write(move |connection| audit::trim(connection, first, through, body)).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.write(open::touch).await
    }
}
