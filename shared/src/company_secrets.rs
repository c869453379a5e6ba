//! Secrets of a company, sealed, each under a name of its own: nobody opens another company's, or one of another name.

use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::{context::Context, crypto, database::Transaction, error::Error, parameters, settings::EncryptionKey};

const KEPT: &str = "select sealed from company_secrets where name = $1";

const KEEP: &str = "
    insert into company_secrets (name, sealed) values ($1, $2)
    on conflict (company_id, name) do update set sealed = excluded.sealed";

const FORGET: &str = "delete from company_secrets where name = $1";

/// What a secret is called in `company_secrets`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompanySecret(pub &'static str);

/// What a company's secret is bound to.
#[must_use]
pub fn owner(company_id: Uuid, name: &str) -> Vec<u8> {
    [company_id.as_bytes(), name.as_bytes()].concat()
}

impl CompanySecret {
    /// Seals it for its company.
    #[must_use]
    pub fn seal(self, keys: &[EncryptionKey], company_id: Uuid, plain: &[u8]) -> Vec<u8> {
        crypto::seal(keys, &owner(company_id, self.0), plain)
    }

    /// The company's; `None` of what was sealed for another, under another name, or with a key no longer listed.
    #[must_use]
    pub fn open(self, keys: &[EncryptionKey], company_id: Uuid, sealed: &[u8]) -> Option<Vec<u8>> {
        crypto::open(keys, &owner(company_id, self.0), sealed)
    }

    /// Keeps it in place of the one before, with the transaction's commit.
    pub fn keep(self, context: &Context, transaction: &Transaction, company_id: Uuid, plain: &[u8]) {
        let sealed = self.seal(&context.secrets().encryption_keys, company_id, plain);
        transaction.defer(KEEP, parameters![self.0, sealed]);
    }

    /// Forgets it, with the transaction's commit.
    pub fn forget(self, transaction: &Transaction) {
        transaction.defer(FORGET, parameters![self.0]);
    }

    /// The one that is kept; `None` also where none of the listed keys opens it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn kept<'a>(
        self,
        context: &'a Context,
        transaction: &'a Transaction,
        company_id: Uuid,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, Error>> {
        Box::pin(async move {
            let rows = transaction.query(KEPT, &[&self.0]).await?;
            Ok(rows.first().and_then(|row| self.open(&context.secrets().encryption_keys, company_id, row.get("sealed"))))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_for_its_own_company_and_under_its_name_only() {
        let keys = [EncryptionKey { id: "1".into(), key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into() }];
        let [own, other] = [1, 2].map(Uuid::from_u128);
        let (secret, another) = (CompanySecret("ai"), CompanySecret("bot"));
        let sealed = secret.seal(&keys, own, b"gsk-secret");
        assert_eq!(secret.open(&keys, own, &sealed).as_deref(), Some(&b"gsk-secret"[..]));
        assert_eq!(secret.open(&keys, other, &sealed), None);
        assert_eq!(another.open(&keys, own, &sealed), None);
    }
}
