//! Another password for somebody who gives the present one. Their other logins end.

use auth::{
    END_OWN_LOGINS, Revocation, RevocationReason, guard,
    notices::{self, Addressee},
    password,
};
use futures_util::future::try_join;
use shared::prelude::*;

pub const PASSWORD_WRONG: Problem =
    Problem::new(403, "password_wrong", "A senha atual não confere.", "The present password is not right.");

/// Where the session stands: what is wrong with it comes first.
const FIND: &str = "select email, name, locale, password_hash from app.find_password($1, $2, $3, $4)";

const CHANGE: &str = "select app.change_password($1, $2) as is_changed";

#[derive(FromRow)]
struct Present {
    #[from_row(flatten)]
    owner: Addressee,
    password_hash: String,
}

/// A new password of the caller's, for a transaction to set.
#[derive(Debug)]
pub struct NewPassword {
    owner: Addressee,
    present_hash: String,
    hash: String,
}

impl NewPassword {
    /// Asks for the present one; `field` is what the request calls the new one. Hashing takes long: no transaction is open meanwhile.
    ///
    /// # Errors
    /// 403 `password_wrong`, 429 after five wrong ones, 422 when the new one is easy to guess.
    pub async fn prove(context: &Context, caller: &Identity, current: &str, field: &str, new: &str) -> Result<Self, Error> {
        let Identity { user_id, company_id, role, session_id } = *caller;
        let lookup = context.begin_nobody().await?;
        let present: Present = lookup.one(FIND, &[&company_id, &user_id, &role.as_str(), &session_id]).await?;
        lookup.commit_quietly().await?;
        let Present { owner, password_hash: present_hash } = present;
        guard::expect_failure(context, &owner.email).await?;
        if !password::is_right(current, Some(&present_hash)) {
            return Err(PASSWORD_WRONG.into());
        }
        guard::take_back_failure(context, &owner.email).await;
        password::expect_hard_to_guess(field, new, &owner.email, &owner.name)?;
        let hash = password::hash(new)?;
        Ok(Self { owner, present_hash, hash })
    }

    /// Sets it and tells its owner; what it ends is to be spread once it is committed.
    ///
    /// # Errors
    /// 403 `password_wrong` when another request was first; as `Transaction::query`.
    pub async fn set(&self, transaction: &Transaction, caller: &Identity) -> Result<Revocation, Error> {
        let Identity { user_id, company_id, .. } = *caller;
        let (changed, sessions) = try_join(
            transaction.query(CHANGE, &[&self.present_hash, &self.hash]),
            transaction.all(END_OWN_LOGINS, &[&None::<Uuid>]),
        )
        .await?;
        if !changed.first().is_some_and(|row| row.get("is_changed")) {
            return Err(PASSWORD_WRONG.into());
        }
        let revocation = Revocation { user_id, sessions, reason: RevocationReason::PasswordChanged };
        revocation.tell_in(transaction, company_id);
        notices::password_changed(transaction, &self.owner);
        transaction.audit(user_id, &Value::Null, &json!({"password": "changed"}));
        Ok(revocation)
    }
}
