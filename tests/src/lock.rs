//! An advisory lock of the database, held to stop functions at the one place a test needs them to be.

use tokio_postgres::Client;

use crate::{Stack, eventually};

/// A lock that functions take by this name; held until released.
pub struct Lock(Client);

impl Lock {
    /// # Panics
    /// When the database does not answer.
    pub async fn hold(stack: &Stack, name: &str) -> Self {
        let client = stack.database().await;
        client.query_one("select pg_advisory_lock(hashtextextended($1, 0))", &[&name]).await.expect("it is held");
        Self(client)
    }

    /// Waits until as many functions wait for it.
    ///
    /// # Panics
    /// When they do not in time.
    pub async fn until_waited_for(&self, functions: i64) {
        let waiting = "
            select count(*)
              from pg_locks as held
              join pg_locks as waiting using (locktype, classid, objid, objsubid)
             where held.pid = pg_backend_pid() and held.locktype = 'advisory' and not waiting.granted";
        eventually("functions waiting for the lock", || async {
            (self.0.query_one(waiting, &[]).await.expect("locks").get::<_, i64>(0) >= functions).then_some(())
        })
        .await;
    }

    /// # Panics
    /// When the database does not answer.
    pub async fn release(self) {
        self.0.batch_execute("select pg_advisory_unlock_all()").await.expect("it is let go");
    }
}
