//! The company's own mail server: what is given of it, and how it is kept.

use shared::{VISIBLE, closed_set, crypto, email::Email, error::FieldProblem, outside, parameters, prelude::*, rule, visible};
use system::mail::is_certificate;
use team::given::{Given, at_most};

use crate::needed_again;

closed_set! {
    /// How a connection to a company's mail server is kept from listeners.
    pub MailEncryption {
        /// From the first byte, usually on port 465.
        Tls = "tls",
        /// Before anything that matters is said, usually on port 587.
        StartTls = "starttls",
    }
}

/// The company's own mail server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MailSetup {
    pub host: String,
    pub port: u16,
    pub security: MailEncryption,
    /// Null where the server wants no login. The password is not shown.
    pub username: Option<String>,
    pub from_address: String,
    /// Null is the company's name.
    pub from_name: Option<String>,
    /// In PEM, who vouches for its certificate besides those whom everybody trusts.
    pub authority: Option<String>,
}

const HOST: &str = r"^[0-9A-Za-z.:-]*$";

/// A mail server of the company's own, given whole.
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupMailInput {
    /// A name such as `smtp.exemplo.com.br`; null for none: mails go by the stage's server again, and the rest is not looked at.
    #[garde(custom(at_most(253)), custom(is_host))]
    #[schemars(required, with = "Option<String>", length(max = 253), regex(pattern = HOST))]
    #[serde(default)]
    host: Given<String>,
    #[garde(range(min = 1))]
    #[serde(default = "usual_port")]
    #[schemars(range(min = 1, max = 65_535))]
    port: u16,
    #[garde(skip)]
    #[serde(default = "usual_encryption")]
    security: MailEncryption,
    #[garde(length(chars, min = 1, max = 320), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    username: Option<String>,
    /// Never shown. Without it, the one that is kept stays, for the server, its encryption and the name that it was given for.
    #[garde(length(chars, min = 1, max = 500))]
    pub password: Option<String>,
    /// Who sends; needed with a host.
    #[garde(dive)]
    from_address: Option<Email>,
    #[garde(length(chars, min = 1, max = 120), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    from_name: Option<String>,
    /// In PEM, who vouches for its certificate, where that is nobody whom everybody trusts.
    #[garde(length(max = 10_000))]
    authority: Option<String>,
}

fn usual_port() -> u16 {
    587
}

fn usual_encryption() -> MailEncryption {
    MailEncryption::StartTls
}

fn is_host(name: &Given<String>, (): &()) -> garde::Result {
    let is_one = |name: &String| name.chars().all(|sign| sign.is_ascii_alphanumeric() || ".:-".contains(sign));
    if name.set().is_none_or(is_one) { Ok(()) } else { Err(rule("invalid_address", "Endereço inválido.", "Invalid address.")) }
}

impl SetupMailInput {
    /// `None` where there is to be none.
    fn host(&self) -> Option<&str> {
        self.host.set().map(String::as_str).filter(|host| !host.is_empty())
    }

    /// What is wrong with it, as far as others can tell. What its name stands for is judged again whenever it is called.
    pub async fn problems(&self) -> Vec<FieldProblem> {
        if self.host == Given::Kept {
            // What is left out stays: a part of a server is none.
            let (portuguese, english) = ("Informe o servidor.", "Give the server.");
            return vec![FieldProblem::new("mail.host", "required", portuguese, english)];
        }
        let Some(host) = self.host() else { return Vec::new() };
        let refusal = outside::addresses(host, self.port).await.err();
        let mut problems: Vec<FieldProblem> = refusal.map(|refusal| refusal.in_field("mail.host")).into_iter().collect();
        if self.from_address.is_none() {
            let (portuguese, english) = ("Informe de que endereço os e-mails saem.", "Give the address that mails come from.");
            problems.push(FieldProblem::new("mail.from_address", "required", portuguese, english));
        }
        if self.authority.as_deref().is_some_and(|authority| !is_certificate(authority)) {
            let (portuguese, english) = ("Não é um certificado em PEM.", "Not a certificate in PEM.");
            problems.push(FieldProblem::new("mail.authority", "invalid_certificate", portuguese, english));
        }
        problems
    }

    /// A password goes only where it was given for: whoever may name another server is not to be told it by that one.
    #[must_use]
    pub fn password_missing(&self, current: Option<&MailSetup>) -> Option<FieldProblem> {
        let host = self.host()?;
        let is_kept = current.is_some_and(|kept| {
            (host, self.port, self.security, &self.username, &self.authority)
                == (kept.host.as_str(), kept.port, kept.security, &kept.username, &kept.authority)
        });
        (self.username.is_some() && self.password.is_none() && !is_kept).then(|| needed_again("mail.password"))
    }

    /// What there is from now on.
    #[must_use]
    pub fn into_setup(self) -> Option<MailSetup> {
        let host = self.host()?.to_owned();
        let Self { port, security, username, from_name, authority, .. } = self;
        let from_address = self.from_address?.to_string();
        Some(MailSetup { host, port, security, username, from_address, from_name, authority })
    }
}

const SAVE: &str = "
    insert into mail_accounts as account (host, port, security, username, sealed, from_address, from_name, authority)
    values ($1, $2, $3, $4, case when $4::text is not null then coalesce($5::bytea, (select sealed from mail_accounts)) end, $6, $7, $8)
    on conflict (company_id) do update
       set host = excluded.host, port = excluded.port, security = excluded.security, username = excluded.username,
           sealed = excluded.sealed, from_address = excluded.from_address, from_name = excluded.from_name, authority = excluded.authority,
           version = account.version + 1";

const FORGET: &str = "delete from mail_accounts";

/// Keeps a server, or that there is none, with the transaction's commit. Without a password the one that is kept stays.
pub fn save(context: &Context, transaction: &Transaction, company_id: Uuid, mail: Option<MailSetup>, password: Option<String>) {
    let Some(MailSetup { host, port, security, username, from_address, from_name, authority }) = mail else {
        return transaction.defer(FORGET, parameters![]);
    };
    let seal = |password: String| crypto::seal(&context.secrets().encryption_keys, company_id.as_bytes(), password.as_bytes());
    let sealed = password.filter(|_| username.is_some()).map(seal);
    let row = parameters![host, i32::from(port), security.as_str(), username, sealed, from_address, from_name, authority];
    transaction.defer(SAVE, row);
}
