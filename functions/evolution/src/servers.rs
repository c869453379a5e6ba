//! The server where a company makes its instances, with the key that may.

use shared::{
    company_secrets::CompanySecret,
    error::{FieldProblem, INVALID},
    evolution::{self, Server},
    prelude::*,
};

use crate::{SERVER_SILENT, refuse};

/// Where it is kept.
const SECRET: CompanySecret = CompanySecret("evolution");

/// A server with its global key; it never prints.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalAccess {
    pub base_url: String,
    pub api_key: String,
}

impl GlobalAccess {
    #[must_use]
    pub fn server(&self) -> Server<'_> {
        Server { base_url: &self.base_url, api_key: &self.api_key }
    }

    /// Keeps it for the next instance, with the transaction's commit.
    pub fn keep(&self, context: &Context, transaction: &Transaction, company_id: Uuid) {
        SECRET.keep(context, transaction, company_id, json!(self).to_string().as_bytes());
    }

    /// The one that is kept; `None` of what was sealed for another company, or with a key no longer listed.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn kept(context: &Context, transaction: &Transaction, company_id: Uuid) -> Result<Option<Self>, Error> {
        let kept = SECRET.kept(context, transaction, company_id).await?;
        Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()))
    }

    /// Asks whether it is an Evolution API server, takes the key, and does not have the instance yet.
    ///
    /// # Errors
    /// 422 with the field named, 503 when it does not answer.
    pub async fn prove(&self, context: &Context, instance_name: &str) -> Result<(), Error> {
        let (version, _) = evolution::version(context, self.server()).await;
        match version {
            Ok(Some(_)) => {}
            Ok(None) | Err(shared::provider::Failure::Refused { .. }) => return Err(not_a_server()),
            Err(failure) => return Err(refuse(failure)),
        }
        let (found, _) = evolution::look_up(context, self.server(), instance_name).await;
        match found {
            Err(shared::provider::Failure::Blocked { code, .. }) if code == "401" => {
                let (portuguese, english) = ("O servidor não aceita esta chave.", "The server does not accept this key.");
                Err(INVALID.in_fields(vec![FieldProblem::new("server.api_key", "not_accepted", portuguese, english)]))
            }
            Err(shared::provider::Failure::Refused { code, .. }) if code == "404" => Ok(()),
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err(SERVER_SILENT.caused_by("a fresh name is in use")),
            Err(failure) => Err(refuse(failure)),
        }
    }
}

fn not_a_server() -> Error {
    let portuguese = "Este endereço não é de um servidor da Evolution API.";
    let english = "This is not the address of an Evolution API server.";
    INVALID.in_fields(vec![FieldProblem::new("server.base_url", "not_accepted", portuguese, english)])
}

/// A name that no other company's instance has at the same server: with the channel's own random digits.
#[must_use]
pub fn instance_name(name: &str, channel_id: Uuid) -> String {
    let digits = channel_id.simple().to_string();
    let words: String = slug::slugify(name).chars().take(40).collect();
    let words = words.trim_matches('-');
    format!("{}-{}", if words.is_empty() { "balcao" } else { words }, &digits[digits.len() - 12..])
}

#[cfg(test)]
mod tests {
    use shared::settings::EncryptionKey;

    use super::*;

    #[test]
    fn names_are_of_letters_digits_and_their_channel() {
        let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        assert_eq!(instance_name("Vendas São Paulo", id), "vendas-sao-paulo-456789abcdef");
        assert_eq!(instance_name("🙂", id).split_once("456789abcdef").map(|(_, rest)| rest), Some(""));
    }

    #[test]
    fn a_server_opens_for_its_own_company_only() {
        let keys = [EncryptionKey { id: "1".into(), key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into() }];
        let [own, other] = [1, 2].map(Uuid::from_u128);
        let access = GlobalAccess { base_url: "https://evo.exemplo.test".into(), api_key: "a-global-key".into() };
        let sealed = SECRET.seal(&keys, own, json!(access).to_string().as_bytes());
        let open = |company| serde_json::from_slice::<GlobalAccess>(&SECRET.open(&keys, company, &sealed)?).ok();
        assert!(open(own) == Some(access));
        assert!(open(other).is_none());
    }
}
